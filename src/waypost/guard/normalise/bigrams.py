"""How much a piece of Latin text looks like language, by pairs of letters; and where another reading looks more so.

All scores are in nats: a difference of 10 means that one reading is e^10 times as likely as the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Pairs", "advantage_of", "likelihood", "log_probabilities", "runs"]

Pairs = NDArray[np.float32]
"""float32[27, 27]: a value for each pair of letters; row and column 26 stand for all that is no letter."""

_COSTS: Final = (
    "643365463742327482324455463257719763483762783352889393294728823933682873623999473"
    "378428662786553793464669581364344565763425562235554561388833992983882892733989591"
    "378628433984643893453889491268618872985652784635879582353434477753413473226386854"
    "188617864957751886582789873266626552754433794354667581265326672952672596444579382"
    "236727772987472395484789392373225273655643797324589571544452455753324492432435672"
    "277526633982572392334889492565687875883887686670588884264326472855442684334569472"
    "474626833955553467323759561375728812986662593444859471443435374763325382227787663"
    "298819991997873896797899694279827922965742993467949692273738952977685188725765392"
    "465537675774442596357779770255516562665553566444769442233343554433363344324439469"
)
"""-ln P(second letter | first) in whole nats, counted over some 38 000 questions in English and other languages."""

_LEAST: Final = 12.0
"""A run must be this many nats likelier in its other reading."""
_GAP: Final = 6.0
"""A run ends where it loses so much: after a plain word or two."""
_WORD: Final = re.compile(r"[A-Za-z]+")
_CLASS: Final = np.array([(byte | 32) - 97 if chr(byte).isalpha() and byte < 128 else 26 for byte in range(256)])


@cache
def log_probabilities() -> Pairs:
    """Return ln P(second letter | first)."""
    costs = np.frombuffer(_COSTS.encode(), np.uint8).astype(np.float32) - ord("0")
    found: Pairs = -costs.reshape(27, 27)
    found[26, 26] = 0
    return found


def likelihood(word: str) -> float:
    """Mean ln P of the pairs of a word; about -2.5 for words of a language, below -4 for others."""
    pairs = _pairs(f" {word} ", log_probabilities())
    return float(pairs.mean())


def advantage_of(text: str, gain: Pairs) -> bool:
    """Tell quickly whether some run of the text may be likelier in the reading for which ``gain`` was made."""
    total = np.cumsum(_pairs(text, gain))
    stretch = 40
    if len(total) <= stretch:
        return bool(len(total) and (total - np.minimum.accumulate(total)).max() >= _LEAST)
    return bool((total[stretch:] - total[:-stretch]).max() >= _LEAST or total[stretch] >= _LEAST)


def runs(text: str, gain: Pairs) -> Iterator[tuple[int, int]]:
    """Find the runs of words that are likelier in the other reading, as places in the text. Linear."""
    sums = [0.0, *np.cumsum(_pairs(f" {text} ", gain), dtype=np.float64).tolist()]
    start = end = 0
    total = best = 0.0
    for match in _WORD.finditer(text):
        if total <= 0:
            if best >= _LEAST:
                yield start, end
            start, total, best = match.start(), 0.0, 0.0
        total += sums[match.end() + 1] - sums[match.start()]
        if total > best:
            best, end = total, match.end()
        elif best - total > _GAP:
            total = 0.0
    if best >= _LEAST:
        yield start, end


def _pairs(text: str, values: Pairs) -> Pairs:
    classes = _CLASS[np.frombuffer(text.encode("ascii", "replace"), np.uint8)]
    found: Pairs = values.ravel()[classes[:-1] * 27 + classes[1:]]
    return found
