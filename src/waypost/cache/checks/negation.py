"""Whether one question denies what the other does not."""

from __future__ import annotations

from typing import Final

from waypost.cache.reading import Reading
from waypost.cache.words.phrases import NEUTRAL, Phrases

__all__ = ["negation"]

_NEGATIONS: Final = Phrases("negations")
_ENDINGS: Final = ("n't", "ない", "ません")


def negation(a: Reading, b: Reading) -> bool:
    """One question holds a negation and the other none."""
    return _denies(a) != _denies(b)


def _denies(reading: Reading) -> bool:
    return any(
        reading.tokens[found.begin].endswith(_ENDINGS) if found.meaning is None else found.meaning != NEUTRAL
        for found in _NEGATIONS.walk(reading.tokens)
    )
