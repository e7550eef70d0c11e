"""Letters moved on by 13 places."""

from __future__ import annotations

import codecs
from functools import cache
from typing import Final

import numpy as np

from waypost.guard.normalise.bigrams import Pairs, advantage_of, log_probabilities, runs

__all__ = ["unrotate"]

_ROTATED: Final = np.array([*((n + 13) % 26 for n in range(26)), 26])


def unrotate(text: str) -> str:
    """Rotate back what looks like language only then."""
    gain = _gain()
    if not advantage_of(text, gain):
        return text
    pieces, done = [], 0
    for start, end in runs(text, gain):
        pieces += [text[done:start], codecs.encode(text[start:end], "rot13")]
        done = end
    return "".join((*pieces, text[done:]))


@cache
def _gain() -> Pairs:
    plain = log_probabilities()
    gain: Pairs = plain[np.ix_(_ROTATED, _ROTATED)] - plain
    return gain
