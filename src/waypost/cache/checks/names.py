"""Whether one question names somebody or something that the other does not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import regex

from waypost.cache.reading import Reading, term_of

__all__ = ["names", "names_of"]

_SENTENCE_ENDS: Final = frozenset(".?!:;\n-–—。？！：；…")
_OPENING: Final = " \t\"'“‘(（「『*#>"
_HAN: Final = regex.compile(r"\p{Han}")
_LATIN: Final = regex.compile(r"[\p{Latin}]")
_SHOUTED: Final = 0.6
"""Share of words in capitals from which on capitals tell nothing: a headline, or somebody shouts."""


def names(a: Reading, b: Reading) -> bool:
    """A name in one question is no word of the other."""
    return not (names_of(a) <= b.subject and names_of(b) <= a.subject)


def names_of(reading: Reading) -> frozenset[str]:
    """Give the terms that are names, by how they are spelt: capitals inside a sentence, Latin words in Chinese."""
    return (
        frozenset(map(term_of, _named(reading))) & reading.subject
    )  # what a longer phrase took in ("United States") is a concept of its own


def _named(reading: Reading) -> Iterator[str]:
    if _HAN.search(reading.text):
        yield from (token for token in reading.tokens if len(token) > 1 and _LATIN.match(token))
        return
    spelt = [
        reading.text[begin : begin + len(token)] for begin, token in zip(reading.begins, reading.tokens, strict=True)
    ]
    capital = [word[:1].isupper() for word in spelt]
    if len(spelt) > 2 and sum(capital) >= _SHOUTED * len(spelt):
        return
    for word, token, begin, is_capital in zip(spelt, reading.tokens, reading.begins, capital, strict=True):
        inside = word[1:] != word[1:].lower() or (not word.isalpha() and any(map(str.isdigit, word)))
        if inside or (is_capital and len(word) > 1 and not _begins_sentence(reading.text, begin)):
            yield token


def _begins_sentence(text: str, position: int) -> bool:
    before = text[max(0, position - 8) : position].rstrip(_OPENING)
    return (not before and position < 8) or before[-1:] in _SENTENCE_ENDS
