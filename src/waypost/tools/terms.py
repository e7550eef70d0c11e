"""The words of a text, so that ``getWeatherForecast`` meets "weather forecasts" and 天气预报 meets 查询天气."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import regex

__all__ = ["terms"]

_WORD: Final = regex.compile(
    r"\p{Lu}+(?!\p{Ll})|\p{Lu}?\p{Ll}+|\p{N}+|[\p{Han}\p{Hiragana}\p{Katakana}]+|[\p{L}\p{M}--\p{Lu}\p{Ll}\p{Han}\p{Hiragana}\p{Katakana}]+",
    regex.VERSION1,
)
"""Identifiers fall apart at underscores and where the case changes: ``getHTTPStatus`` is get, HTTP, Status."""
_UNSPACED: Final = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}]")

_EMPTY: Final = frozenset(
    {
        "a", "about", "an", "and", "any", "are", "as", "at", "be", "by", "can", "could", "do", "does", "find", "for",
        "from", "give", "have", "help", "how", "i", "if", "in", "is", "it", "me", "my", "need", "of", "on", "or",
        "please", "some", "tell", "that", "the", "there", "this", "to", "want", "what", "which", "with", "would", "you",
        "your",
    }
)  # fmt: skip
"""Words of every request."""
_ENDINGS: Final = (("ies", "y"), ("ing", ""), ("ed", ""), ("es", ""), ("s", ""))


def terms(text: str) -> Iterator[str]:
    """Yield lower-case stems of the words that carry meaning; pairs of characters for Chinese and Japanese."""
    for match in _WORD.finditer(text):
        word = match[0].lower()
        if _UNSPACED.match(word):
            yield from (word[place : place + 2] for place in range(max(1, len(word) - 1)))
        elif word not in _EMPTY:
            yield _stem(word)


def _stem(word: str) -> str:
    """Cut the commonest English endings. Both sides are cut alike, so it need not be a word that is left."""
    if len(word) <= 4:
        return word
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: len(word) - len(ending)] + instead
            break
    return word[:-1] if len(word) > 4 and word.endswith("e") else word
