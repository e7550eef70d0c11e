"""Whether two questions are the same sentence but for a word that matters: put in, left out or exchanged."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Final

from waypost.cache.reading import Reading, terms_of

__all__ = ["wording"]

_SAME_SENTENCE: Final = 0.5
"""Share of the longer question's words, at its two ends, that both have."""


def wording(a: Reading, b: Reading) -> bool:
    """Most of the words are the same in the same places, and those between mean something else."""
    head = _common(a.tokens, b.tokens)
    tail = _common(a.tokens[head:][::-1], b.tokens[head:][::-1])
    if head + tail < _SAME_SENTENCE * max(len(a.tokens), len(b.tokens)):
        return False
    left, right = (terms_of(tokens[head : len(tokens) - tail]) for tokens in (a.tokens, b.tokens))
    return frozenset(left) != frozenset(right)


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """Count the tokens that both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
