"""A threshold from a stated budget, or a refusal when the rows cannot prove it.

What must not pass and what must pass are two lists of scores, one entry a row. A row that cannot pass whatever the
threshold (a domain that is not ranked first) is ``-inf``: it counts as a trial, never as an error or a hit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from waypost.errors import DataError
from waypost.learn.bounds import allowed_errors, lower_bound, rows_needed, upper_bound
from waypost.learn.metrics import Floats, ratio

__all__ = ["Budget", "Choice", "Trials", "choose_threshold", "sweep"]

_GRAIN = 10_000
"""Thresholds have four digits, so that they can be read and written; rounding is always to the safe side."""


@dataclass(frozen=True, slots=True, eq=False)
class Trials:
    """Scores of the rows that should stay below a threshold, and of those that should reach it."""

    negatives: Floats
    positives: Floats
    negative_name: str = "benign"
    positive_name: str = "positive"

    def false_positives(self, threshold: float) -> int:
        """Negatives that reach the threshold."""
        return int((self.negatives >= threshold).sum())

    def hits(self, threshold: float) -> int:
        """Positives that reach the threshold."""
        return int((self.positives >= threshold).sum())


@dataclass(frozen=True, slots=True)
class Budget:
    """What the threshold has to keep, at a confidence; at least one of the two is given."""

    max_false_positive: float | None = None
    min_recall: float | None = None
    confidence: float = 0.95


@dataclass(frozen=True, slots=True)
class Choice:
    """A threshold with what it does on the rows, and what it does at worst beyond them."""

    threshold: float
    false_positive_rate: float | None
    false_positive_bound: float | None
    """At most this, with the budget's confidence."""
    recall: float | None
    recall_bound: float | None
    """At least this, with the budget's confidence."""


def choose_threshold(trials: Trials, budget: Budget, *, at_least: float = 0.0) -> Choice:
    """Take the lowest threshold within the false positives allowed, else the highest with the recall asked for.

    ``at_least``: no lower one for the false positives, though the rows would allow it. Raises DataError when the rows
    cannot prove the budget, or no threshold keeps both halves of it.
    """
    floor, ceiling = 0.0, math.inf
    if budget.max_false_positive is not None:
        floor = max(at_least, _lowest(trials, budget.max_false_positive, budget.confidence))
    if budget.min_recall is not None:
        ceiling = _highest(trials, budget.min_recall, budget.confidence)
    if floor > ceiling:
        raise DataError(
            f"no threshold keeps both: false positives ≤ {budget.max_false_positive:g} needs {floor:g} or more, "
            f"recall ≥ {budget.min_recall:g} needs {ceiling:g} or less"
        )
    threshold = floor if budget.max_false_positive is not None else ceiling
    return _describe(trials, threshold, budget.confidence)


def sweep(trials: Trials, steps: int = 200) -> list[dict[str, float | None]]:
    """Recall and false-positive rate over evenly spaced thresholds."""
    points = []
    for threshold in np.linspace(0, 1, steps + 1).tolist():
        rates = {
            "false_positive_rate": ratio(trials.false_positives(threshold), len(trials.negatives)),
            "recall": ratio(trials.hits(threshold), len(trials.positives)),
        }
        points.append({"threshold": round(threshold, 4), **rates})
    return points


def _lowest(trials: Trials, rate: float, confidence: float) -> float:
    errors = _allowed(len(trials.negatives), rate, confidence, trials.negative_name)
    first_to_stop = float(np.sort(trials.negatives)[::-1][errors])
    if first_to_stop >= 1:
        raise DataError(
            f"{rate:g} cannot be kept: more than {errors} {trials.negative_name} rows have the highest score there is"
        )
    return 0.0 if first_to_stop < 0 else (math.floor(first_to_stop * _GRAIN) + 1) / _GRAIN


def _highest(trials: Trials, recall: float, confidence: float) -> float:
    misses = _allowed(len(trials.positives), 1 - recall, confidence, trials.positive_name)
    last_to_pass = float(np.sort(trials.positives)[misses])
    if last_to_pass < 0:
        best = ratio(trials.hits(0.0), len(trials.positives))
        raise DataError(f"no threshold reaches a recall of {recall:g}: it is {best:g} when everything passes")
    return math.floor(last_to_pass * _GRAIN) / _GRAIN


def _allowed(rows: int, rate: float, confidence: float, name: str) -> int:
    errors = allowed_errors(rows, rate, confidence)
    if errors < 0:
        needed = rows_needed(rate, confidence)
        raise DataError(
            f"{rate:g} at {confidence:.0%} needs at least {needed} {name} rows without an error; the file has {rows}"
        )
    return errors


def _describe(trials: Trials, threshold: float, confidence: float) -> Choice:
    negatives, positives = len(trials.negatives), len(trials.positives)
    wrong, hits = trials.false_positives(threshold), trials.hits(threshold)
    return Choice(
        threshold=threshold,
        false_positive_rate=ratio(wrong, negatives),
        false_positive_bound=round(upper_bound(wrong, negatives, confidence), 4) if negatives else None,
        recall=ratio(hits, positives),
        recall_bound=round(lower_bound(hits, positives, confidence), 4) if positives else None,
    )
