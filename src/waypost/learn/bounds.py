"""Exact bounds on a rate from a count of errors (Clopper and Pearson, Biometrika 26, 1934).

A threshold may be chosen on the very rows that bound it: how many of the highest scores may lie above it follows from
the number of rows alone, and what it cuts off is then a distribution-free tolerance bound (Wilks, Annals of
Mathematical Statistics 12, 1941), which is the same condition.
"""

from __future__ import annotations

import math

import numpy as np

__all__ = ["allowed_errors", "interval", "lower_bound", "rows_needed", "upper_bound"]

_STEPS = 60
"""Halvings of [0, 1]: beyond the precision of a float."""


def upper_bound(errors: int, rows: int, confidence: float) -> float:
    """The true rate lies above this with a chance of at most ``1 - confidence``."""
    if errors >= rows:
        return 1.0
    low, high = errors / rows, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(errors, rows, middle) > 1 - confidence else (low, middle)
    return high


def lower_bound(hits: int, rows: int, confidence: float) -> float:
    """The true rate lies below this with a chance of at most ``1 - confidence``."""
    return 1.0 - upper_bound(rows - hits, rows, confidence)


def interval(hits: int, rows: int, confidence: float = 0.95) -> tuple[float, float]:
    """Two-sided interval that holds the true rate with a chance of at least ``confidence``."""
    side = (1 + confidence) / 2
    return lower_bound(hits, rows, side), upper_bound(hits, rows, side)


def allowed_errors(rows: int, rate: float, confidence: float) -> int:
    """The most errors in ``rows`` that still prove a true rate of at most ``rate``; -1 when not even none does."""
    if rows < rows_needed(rate, confidence):
        return -1
    low, high = 0, rows
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _at_most(middle, rows, rate) <= 1 - confidence else (low, middle)
    return low


def rows_needed(rate: float, confidence: float) -> int:
    """Rows that prove a rate of at most ``rate`` when none of them errs: 299 for 1 % at 95 %."""
    return math.ceil(math.log(1 - confidence) / math.log1p(-rate))


def _at_most(errors: int, rows: int, rate: float) -> float:
    """Chance of at most ``errors`` in ``rows`` independent trials."""
    if rate >= 1.0:
        return float(errors >= rows)
    counts = np.arange(errors + 1)
    steps = np.log(rows - counts[:-1]) - np.log(counts[:-1] + 1)
    choose = np.concatenate(([0.0], np.cumsum(steps)))
    terms = choose + counts * math.log(max(rate, 1e-300)) + (rows - counts) * math.log1p(-rate)
    return min(1.0, float(np.exp(terms).sum()))
