"""Terms in the user's text: whole words where words are spaced, anywhere where they are not.

Text and terms are compared after Unicode's NFKC and case folding (``case_sensitive: true``: NFKC only). A term's edge
must be the edge of a word, so that ``cat`` is not in "concatenate"; but

* Chinese, Japanese, Korean, Thai, Lao, Khmer and Burmese characters need no edge, in the term or beside it: ``紧急`` is
  in "很紧急的事" and ``python`` in "用python写" (Korean words are spaced, but particles stick to them);
* an edge that is punctuation is an edge by itself: ``C++`` is in "C++20", ``asap!`` in "asap!!".

Whitespace in a term stands for any run of whitespace, line breaks included.
"""

from __future__ import annotations

import asyncio
import time
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import regex

from waypost.config import schema
from waypost.types import Request, SignalResult, Truth

__all__ = ["REGEX_BUDGET", "KeywordSignal"]

REGEX_BUDGET: Final = 0.05
"""Seconds that all regular expressions together may take on one request; a rule beyond it is unknown. ``regex``
counts the processor time of the whole process, so that other busy threads shorten it."""

_INLINE: Final = 50_000
"""Longer texts are searched in a thread; literal terms take 1 to 25 ms a rule for a million characters."""

_UNSPACED: Final = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_LETTER: Final = rf"[\w--[{_UNSPACED}]]"
"""What may not touch a term's edge: a letter, digit or underscore of a spaced script."""

_Pattern = regex.Pattern[str]


class KeywordSignal:
    """True for each rule whose terms are in ``user_text``, the text that is routed; earlier turns are not read.

    A rule holds when one of ``any``, each of ``all`` and none of ``none`` is found; its score is 1.0. The constructor
    raises ``regex.error`` for a term that is no regular expression; the configuration check reports it before.
    """

    kind = "keyword"
    cost = 20e-6

    def __init__(self, rules: Sequence[schema.KeywordSignal]) -> None:
        self._literal = tuple(_literal(rule) for rule in rules if not rule.regex)
        self._regular = tuple(_regular(rule) for rule in rules if rule.regex)

    async def measure(self, request: Request) -> SignalResult:
        """Search ``user_text``. What may take long runs in a thread and gives up the GIL."""
        if self._regular or len(request.user_text) > _INLINE:
            return await asyncio.to_thread(self._search, request.user_text)
        return self._search(request.user_text)

    def _search(self, text: str) -> SignalResult:
        plain = unicodedata.normalize("NFKC", text)
        folded = _fold(plain)
        found = {rule.name: rule.holds(folded if rule.fold else plain, None) for rule in self._literal}
        deadline = time.perf_counter() + REGEX_BUDGET
        found |= {rule.name: rule.holds(plain, deadline) for rule in self._regular}
        matched = frozenset(name for name, truth in found.items() if truth)
        unknown = frozenset(name for name, truth in found.items() if truth is None)
        return SignalResult(self.kind, matched, dict.fromkeys(matched, 1.0), unknown_names=unknown)


@dataclass(frozen=True, slots=True)
class _Rule:
    """The patterns of one rule."""

    name: str
    fold: bool
    any: tuple[_Pattern, ...]
    all: tuple[_Pattern, ...]
    none: tuple[_Pattern, ...]

    def holds(self, text: str, deadline: float | None) -> Truth:
        """None when the deadline (of ``time.perf_counter``) passed before it was clear."""

        def found(pattern: _Pattern) -> bool:
            return _found(pattern, text, deadline)

        try:
            return (
                (not self.any or any(map(found, self.any)))
                and all(map(found, self.all))
                and not any(map(found, self.none))
            )
        except TimeoutError:
            return None


def _found(pattern: _Pattern, text: str, deadline: float | None) -> bool:
    if deadline is None:
        return pattern.search(text, concurrent=True) is not None
    left = deadline - time.perf_counter()
    if left <= 0:  # regex takes a negative timeout for none
        raise TimeoutError
    return pattern.search(text, concurrent=True, timeout=left) is not None


def _regular(rule: schema.KeywordSignal) -> _Rule:
    flags = 0 if rule.case_sensitive else regex.IGNORECASE

    def patterns(terms: Sequence[str]) -> tuple[_Pattern, ...]:
        return tuple(regex.compile(term, flags) for term in terms)

    return _Rule(rule.name, False, patterns(rule.any), patterns(rule.all), patterns(rule.none))


def _literal(rule: schema.KeywordSignal) -> _Rule:
    fold = not rule.case_sensitive

    def one_of(terms: Sequence[str]) -> tuple[_Pattern, ...]:
        plain = (unicodedata.normalize("NFKC", term) for term in terms)
        return (_one_of([_fold(term) if fold else term for term in plain]),) if terms else ()

    each = tuple(pattern for term in rule.all for pattern in one_of((term,)))
    return _Rule(rule.name, fold, one_of(rule.any), each, one_of(rule.none))


def _one_of(terms: Iterable[str]) -> _Pattern:
    """One pattern for all terms. Those with the same edges share the look-around, which makes it many times faster."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for term in terms:
        words = regex.findall(r"\S+", term)
        before = rf"(?<!{_LETTER})" if _is_letter(words[0][0]) else ""
        after = rf"(?!{_LETTER})" if _is_letter(words[-1][-1]) else ""
        groups[before, after].append(r"\s+".join(map(regex.escape, words)))
    branches = (f"{before}(?:{'|'.join(group)}){after}" for (before, after), group in groups.items())
    return regex.compile("|".join(branches), regex.V1)


def _is_letter(character: str) -> bool:
    return regex.match(_LETTER, character, regex.V1) is not None


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text.casefold())
