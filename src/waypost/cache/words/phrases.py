"""Phrases that mean something, found among tokens: the longest that begins at each place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Final, NamedTuple

import regex

from waypost.cache.words import lines

__all__ = ["NEUTRAL", "TOKEN", "Found", "Phrases"]

_WORD: Final = r"[[\p{L}\p{M}\p{N}]--\p{Han}]+"
TOKEN: Final = regex.compile(rf"\p{{Han}}|{_WORD}(?:(?:['.&-]|(?<=\d),(?=\d\d\d)){_WORD})*[+#]*", regex.V1)
"""One Chinese character, or one word: ``don't``, ``node.js``, ``c++``, ``1,000.5``."""


NEUTRAL: Final = "neutral"
"""Meaning of a phrase that means nothing, though shorter ones within it would."""


class Found(NamedTuple):
    """A phrase in a text, or a word that is none."""

    meaning: str | None
    """None for a word that is no phrase of ours."""
    begin: int
    length: int
    """Both in tokens."""


class Phrases:
    """The phrases of some files of words. Some 0.3 µs a token, however many they are; read at the first use."""

    def __init__(self, *names: str) -> None:
        """Of a phrase that stands twice, the later counts."""
        self._names = names

    def walk(self, tokens: Sequence[str]) -> Iterator[Found]:
        """Cover all ``tokens`` (in lower case) with phrases and single words, from left to right."""
        meanings, longest = self._table
        position = 0
        while position < len(tokens):
            found = Found(None, position, 1)
            for length in range(min(longest.get(tokens[position], 0), len(tokens) - position), 0, -1):
                meaning = meanings.get(tuple(tokens[position : position + length]))
                if meaning is not None:
                    found = Found(meaning, position, length)
                    break
            yield found
            position += found.length

    def meanings(self, tokens: Sequence[str]) -> frozenset[str]:
        """Collect what the phrases among ``tokens`` mean."""
        return frozenset(found.meaning for found in self.walk(tokens) if found.meaning not in (None, NEUTRAL))

    @cached_property
    def _table(self) -> tuple[dict[tuple[str, ...], str], dict[str, int]]:
        """Map phrases to meanings, and first tokens to the length of the longest phrase."""
        meanings: dict[tuple[str, ...], str] = {}
        longest: dict[str, int] = {}
        for name in self._names:
            for meaning, phrases in lines(name):
                for phrase in phrases:
                    tokens = tuple(TOKEN.findall(phrase))
                    meanings[tokens] = meaning
                    longest[tokens[0]] = max(len(tokens), longest.get(tokens[0], 0))
        return meanings, longest
