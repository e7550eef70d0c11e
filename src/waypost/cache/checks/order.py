"""Whether two questions give the same words other roles: from A to B, from B to A."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise, permutations, product
from typing import Final, NamedTuple

from waypost.cache.checks.names import names_of
from waypost.cache.checks.numbers import values
from waypost.cache.reading import Reading, term_of

__all__ = ["order"]

# fmt: off
_DIRECTIONS: Final = frozenset({
    "from", "to", "into", "onto", "than", "by", "before", "after", "over", "under", "minus", "divided", "versus", "vs",
    "against", "owes", "de", "à", "vers", "que", "por", "para", "nach", "von", "als",
    "从", "到", "至", "比", "转", "换", "成", "给", "向", "往", "减", "除", "借", "送", "超",
})
# fmt: on
_ORIGINS: Final = ("from", "von", "从")
_TARGETS: Final = ("to", "nach", "到")
_REACH: Final = 3
"""Words on either side of a direction that belong to it."""
_ARTICLES: Final = frozenset(
    {"a", "an", "the", "le", "la", "les", "un", "une", "el", "los", "las", "der", "die", "das", "ein"}
)
_ASKING: Final = frozenset({"who", "whom", "what", "which"})
_DOING: Final = frozenset({"do", "does", "did"})
_MOST_NAMES: Final = 8
"""More names than these are a list, whose order seldom matters; and their pairs would cost time."""


class _Role(NamedTuple):
    """A word that says who does what to whom, with its neighbours."""

    direction: str
    before: frozenset[str]
    after: frozenset[str]


def order(a: Reading, b: Reading) -> bool:
    """The same words stand in other roles."""
    return any(
        moved(a, b) for moved in (_numbers_move, _roles_swap, _names_swap, _subject_and_object_swap, _asked_for_swap)
    )


def _numbers_move(a: Reading, b: Reading) -> bool:
    left, right = values(a), values(b)
    return left != right and sorted(left) == sorted(right)


def _roles_swap(a: Reading, b: Reading) -> bool:
    """``x to y`` against ``y to x``, and ``to x from y`` against ``to y from x``."""
    left, right = frozenset(_roles(a)), frozenset(_roles(b))
    left, right = left - right, right - left
    for one, other in product(left, right):
        if one.direction == other.direction and one.before & other.after and one.after & other.before:
            return True
    return bool(_after(left, _ORIGINS) & _after(right, _TARGETS) and _after(left, _TARGETS) & _after(right, _ORIGINS))


def _after(roles: frozenset[_Role], directions: Sequence[str]) -> frozenset[str]:
    return frozenset[str]().union(*(role.after for role in roles if role.direction in directions))


def _roles(reading: Reading) -> Iterator[_Role]:
    items = list(_items(reading))
    for place, item in enumerate(items):
        if item in _DIRECTIONS:
            before = frozenset(_until_direction(reversed(items[max(0, place - _REACH) : place])))
            after = frozenset(_until_direction(iter(items[place + 1 : place + 1 + _REACH])))
            yield _Role(item, before - after, after - before)


def _until_direction(items: Iterator[str]) -> Iterator[str]:
    for item in items:
        if item in _DIRECTIONS:
            return
        yield item


def _items(reading: Reading) -> Iterator[str]:
    """Give the directions, and the terms of single words between them."""
    for token in reading.tokens:
        if token in _DIRECTIONS:
            yield token
        elif term := term_of(token):
            yield term


def _names_swap(a: Reading, b: Reading) -> bool:
    """``Google buys YouTube`` against ``YouTube buys Google``: two names change sides of a word that both have."""
    shared = names_of(a) & names_of(b)
    if not 2 <= len(shared) <= _MOST_NAMES:
        return False
    for one, other in permutations(shared, 2):
        left, right = _between(a.terms, one, other), _between(b.terms, other, one)
        if (left & right) - shared:
            return True
    return False


def _between(terms: Sequence[str], one: str, other: str) -> frozenset[str]:
    """Give the terms between ``one`` and a later ``other``."""
    first, last = terms.index(one), terms.index(other)
    return frozenset(terms[first + 1 : last]) if first < last else frozenset()


def _subject_and_object_swap(a: Reading, b: Reading) -> bool:
    """``cats eat mice`` against ``mice eat cats``, in words that follow each other."""
    left, right = _triples(a), _triples(b)
    return not (left - right).isdisjoint((last, middle, first) for first, middle, last in right - left)


def _triples(reading: Reading) -> frozenset[tuple[str, str, str]]:
    terms = [term_of(token) for token in reading.tokens if token not in _ARTICLES]
    triples = zip(terms, terms[1:], terms[2:], strict=False)
    return frozenset(triple for triple in triples if all(triple) and triple[0] != triple[2])


def _asked_for_swap(a: Reading, b: Reading) -> bool:
    """``who killed Caesar`` against ``who did Caesar kill``: one asks for the subject, the other for the object."""
    return _asks_for(a) | _asks_for(b) == {"subject", "object"}


def _asks_for(reading: Reading) -> frozenset[str]:
    found = set()
    for word, following in pairwise(reading.tokens):
        if word in _ASKING:
            found |= {"object"} if following in _DOING else {"subject"} if term_of(following) else set()
    return frozenset(found)
