"""Text written backwards: letter by letter, all of it or each word for itself."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from waypost.guard.normalise.bigrams import Pairs, advantage_of, log_probabilities, runs

__all__ = ["turn_round"]

_WORD: Final = re.compile(r"\S+")


def turn_round(text: str) -> str:
    """Turn round what looks like language only then, once as a whole and once word by word.

    Pairs of letters cannot tell the two apart; the encoder can.
    """
    gain = _gain()
    if not advantage_of(text, gain):
        return text
    whole, by_word, done = [], [], 0
    for start, end in runs(text, gain):
        run = text[start:end]
        whole += [text[done:start], run[::-1]]
        by_word.append(_WORD.sub(lambda match: match[0][::-1], run))
        done = end
    return "".join((*whole, text[done:], *(f"\n{run}" for run in by_word)))


@cache
def _gain() -> Pairs:
    plain = log_probabilities()
    gain: Pairs = plain.T - plain
    return gain
