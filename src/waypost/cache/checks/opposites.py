"""Whether a word of one question stands against a word of the other: antonyms, and kinds that exclude each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from itertools import chain, product
from typing import Final

import regex

from waypost.cache.reading import Reading, read
from waypost.cache.words import lines

__all__ = ["opposites"]

_NEGATING_PREFIX: Final = regex.compile(r"(?:un|in|im|il|ir|dis|non-?|de|mis|anti-?|a)(?=\p{L}{4})")
_HAN: Final = regex.compile(r"\p{Han}")


def opposites(a: Reading, b: Reading) -> bool:
    """A word that only ``a`` has is an antonym, or a sister in kind, of a word that only ``b`` has."""
    left, right = _words(a), _words(b)
    left, right = left - right, right - left
    if not left or not right:
        return False
    return _are_antonyms(left, right) or _are_sisters(left, right) or _negated(left, right) or _negated(right, left)


def _words(reading: Reading) -> frozenset[str]:
    """Give tokens and terms, and the Chinese words that are listed here."""
    words = reading.subject | frozenset(reading.tokens)
    return words | frozenset(_chinese().findall(reading.text)) if _HAN.search(reading.text) else words


def _are_antonyms(left: frozenset[str], right: frozenset[str]) -> bool:
    antonyms = _antonyms()
    return any(not right.isdisjoint(antonyms[word]) for word in left if word in antonyms)


def _are_sisters(left: frozenset[str], right: frozenset[str]) -> bool:
    kinds = _kinds()
    found = {kinds[word] for word in left if word in kinds}
    return bool(found) and any(kinds.get(word) in found for word in right)


def _negated(words: frozenset[str], others: frozenset[str]) -> bool:
    """``legal`` against ``illegal``."""
    return any((prefix := _NEGATING_PREFIX.match(word)) and word[prefix.end() :] in others for word in words)


@cache
def _antonyms() -> Mapping[str, frozenset[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for word, others in lines("opposites"):
        for one, other in product(_forms(word), chain.from_iterable(map(_forms, others))):
            if one != other:
                found[one].add(other)
                found[other].add(one)
    return {word: frozenset(against) for word, against in found.items()}


@cache
def _kinds() -> Mapping[str, str]:
    return {form: kind for kind, words in lines("kinds") for word in words for form in _forms(word)}


@cache
def _chinese() -> regex.Pattern[str]:
    """Match listed Chinese words, the longest first."""
    words = [word for word in (*_antonyms(), *_kinds()) if _HAN.search(word)]
    return regex.compile("|".join(sorted(words, key=len, reverse=True)))


def _forms(word: str) -> frozenset[str]:
    """Spell a word as it may stand among tokens and terms; of a Chinese word, not its single characters."""
    reading = read(word)
    terms = reading.subject if len(reading.terms) == 1 else frozenset[str]()
    return terms | {word}
