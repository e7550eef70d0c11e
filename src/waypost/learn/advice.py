"""What calibration says of an evaluated classifier: a threshold that keeps a budget, and honest probabilities."""

from __future__ import annotations

import json
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

__all__ = ["advise", "save_temperature"]

_ENOUGH = 100
"""Rows; fewer do not tell a temperature from chance."""
_OWN_KEYS = ("recipe", "labels", "temperature", "sha256")
"""What :meth:`Head.save` writes itself."""


def advise(evaluation: Evaluation, budget: Budget, *, recalibrated: bool = False) -> dict[str, Any]:
    """Choose the threshold and fit the calibration. Raises DataError when the rows cannot prove the budget.

    The threshold is for the scores as they are served now; with ``recalibrated`` for those that will be served once
    the temperature found here is in the classifier.
    """
    evidence, figures = evaluation.evidence, evaluation.figures
    calibration = _calibration(evidence)
    if recalibrated and calibration is None:
        raise DataError(f"a temperature needs at least {_ENOUGH} rows; the file has {figures['n']}")
    trials = evidence.trials
    if trials is None:
        raise ValueError(f"{figures['task']} has no threshold")
    if recalibrated and calibration is not None and evidence.probabilities is not None:
        trials = _top_trials(tempered(evidence.probabilities, calibration.temperature), evidence.truth_index)
    return {
        "task": figures["task"],
        "n": figures["n"],
        "threshold_now": figures.get("threshold"),
        **asdict(choose_threshold(trials, budget)),
        "budget": asdict(budget),
        "bound": "Clopper-Pearson, one-sided",
        "calibration": asdict(calibration) if calibration else None,
    }


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
