"""What calibration says of an evaluated classifier: a threshold that keeps a budget, and honest probabilities."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from waypost.errors import DataError
from waypost.inference.head import Head
from waypost.learn.calibration import Calibration, calibrate, tempered
from waypost.learn.evaluate.evidence import Evaluation, Evidence
from waypost.learn.metrics import Floats
from waypost.learn.thresholds import Budget, Trials, choose_threshold

__all__ = ["advise", "advise_similarity", "save_temperature"]

_EVEN = 0.5
"""Where the cache holds an answer for as likely right as wrong; no sensible threshold is below."""
_TELLING = 20
"""Lookalikes that no check refuses and that come so far; where they are fewer, any threshold keeps the budget, even 0:
it had nothing to stop, and elsewhere will have."""

_GRAIN = 10_000
"""Four digits, as thresholds have."""
_ENOUGH = 100
"""Rows; fewer do not tell a temperature from chance."""
_OWN_KEYS = ("recipe", "labels", "temperature", "sha256")
"""What :meth:`Head.save` writes itself."""


def advise(
    evaluation: Evaluation, budget: Budget, *, recalibrated: bool = False, at_least: float = 0.0
) -> dict[str, Any]:
    """Choose the threshold and fit the calibration. Raises DataError when the rows cannot prove the budget.

    The threshold is for the scores as they are served now; with ``recalibrated`` for those that will be served once
    the temperature found here is in the classifier. It is never below ``at_least``.
    """
    evidence, figures = evaluation.evidence, evaluation.figures
    calibration = _calibration(evidence)
    if recalibrated and calibration is None:
        raise DataError(f"a temperature needs at least {_ENOUGH} rows; the file has {figures['n']}")
    trials = _trials(evaluation)
    if recalibrated and calibration is not None and evidence.probabilities is not None:
        trials = _top_trials(tempered(evidence.probabilities, calibration.temperature), evidence.truth_index)
    return {
        "task": figures["task"],
        "n": figures["n"],
        "threshold_now": figures.get("threshold"),
        **asdict(choose_threshold(trials, budget, at_least=at_least)),
        "budget": asdict(budget),
        "bound": "Clopper-Pearson, one-sided",
        "calibration": asdict(calibration) if calibration else None,
    }


def advise_similarity(evaluation: Evaluation, budget: Budget) -> dict[str, Any]:
    """Advise a threshold for the cache, whose checks refuse pairs as well. Raises DataError as :func:`advise` does.

    ``kept``: the pairs say too little of the threshold to lower the shipped one; ``lookalikes``: how many say any.
    """
    trials, shipped = _trials(evaluation), evaluation.figures["threshold"]
    lookalikes = trials.false_positives(_EVEN)
    lowest = _lowest_right(trials, shipped) if lookalikes >= _TELLING else shipped
    advice = advise(evaluation, budget, at_least=lowest)
    kept = lookalikes < _TELLING and advice["threshold"] == shipped
    return advice | {"lookalikes": lookalikes, "different": len(trials.negatives), "kept": kept}


def _lowest_right(trials: Trials, shipped: float) -> float:
    """Return the similarity below which there is nothing to win on these pairs, however little there is to lose."""
    lowest = float(trials.positives.min(initial=shipped, where=np.isfinite(trials.positives)))
    return max(_EVEN, math.floor(lowest * _GRAIN) / _GRAIN)


def _trials(evaluation: Evaluation) -> Trials:
    if evaluation.evidence.trials is None:
        raise ValueError(f"{evaluation.figures['task']} has no threshold")
    return evaluation.evidence.trials


def save_temperature(directory: Path, advice: dict[str, Any]) -> float:
    """Multiply the temperature of the head in ``directory``, note the advice in its manifest; return the new one."""
    manifest = json.loads((directory / "manifest.json").read_bytes())
    head = Head.load(directory, manifest["recipe"])
    relative = advice["calibration"]["temperature"]
    warmer = replace(head, temperature=round(head.temperature * relative, 4))
    facts = {name: value for name, value in manifest.items() if name not in _OWN_KEYS}
    warmer.save(directory, facts | {"threshold": advice["threshold"], "calibration": advice})
    return warmer.temperature


def _calibration(evidence: Evidence) -> Calibration | None:
    if evidence.probabilities is None or len(evidence.truth) < _ENOUGH:
        return None
    watched = None if evidence.watched is None else list(evidence.labels).index(evidence.watched)
    return calibrate(evidence.probabilities, evidence.truth_index, watched)


def _top_trials(probabilities: Floats, truth: NDArray[np.int64]) -> Trials:
    right, top = probabilities.argmax(axis=1) == truth, probabilities.max(axis=1)
    return Trials(np.where(right, -np.inf, top), np.where(right, top, -np.inf), "labelled", "labelled")
