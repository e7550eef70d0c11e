"""Whether two questions ask for another aspect of a thing: who, when, how many, why, how to, may I."""

from __future__ import annotations

from typing import Final

from waypost.cache.reading import Reading
from waypost.cache.words.phrases import Phrases

__all__ = ["aspect"]

_ASPECTS: Final = Phrases("aspects")


def aspect(a: Reading, b: Reading) -> bool:
    """Both questions say what they ask for, and it is not the same."""
    left, right = _ASPECTS.meanings(a.tokens), _ASPECTS.meanings(b.tokens)
    return bool(left) and bool(right) and left.isdisjoint(right)
