"""Probabilities that mean what they say: a temperature for all labels, or an isotonic map of one score.

Serving's answers are probabilities, not logits; a softmax of ``log(p) / temperature`` is the same as one of
``logits / temperature``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from waypost.learn.metrics import Floats, expected_calibration_error

__all__ = ["Calibration", "Isotonic", "calibrate", "fit_temperature", "log_loss", "tempered"]

_TEMPERATURES = np.geomspace(0.25, 4.0, 161)
_FOLDS = 5
_TINY = 1e-6
_WORTH_IT = 0.002
"""Isotonic regression has as many parameters as steps: it must beat the one of a temperature by this log loss."""


@dataclass(frozen=True, slots=True, eq=False)
class Isotonic:
    """A non-decreasing map of scores, piecewise linear between its knots."""

    scores: Floats
    values: Floats

    @classmethod
    def fit(cls, scores: Floats, right: NDArray[np.bool_]) -> Self:
        """Pool adjacent violators (Ayer et al., 1955), then shrink by one imagined hit and miss a step."""
        order = np.argsort(scores, kind="stable")
        blocks: list[tuple[float, float, float]] = []  # hits, rows, sum of scores
        for score, hit in zip(scores[order].tolist(), right[order].tolist(), strict=True):
            blocks.append((float(hit), 1.0, score))
            while len(blocks) > 1 and blocks[-2][0] * blocks[-1][1] >= blocks[-1][0] * blocks[-2][1]:
                last = blocks.pop()
                blocks[-1] = (blocks[-1][0] + last[0], blocks[-1][1] + last[1], blocks[-1][2] + last[2])
        hits, rows, sums = np.array(blocks).T
        return cls(sums / rows, np.maximum.accumulate((hits + 1) / (rows + 2)))

    def apply(self, scores: Floats) -> Floats:
        """Map ``scores``; what lies outside of the knots gets the nearest one's value."""
        return np.interp(scores, self.scores, self.values)


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was chosen, and by how much it helps on rows it was not fitted on."""

    method: str
    """``none``, ``temperature`` or ``isotonic``."""
    temperature: float
    """Relative to the scores as they are served; 1 changes nothing."""
    log_loss: dict[str, float]
    """Of every method, cross-validated over five folds, in nats a row."""
    calibration_error: dict[str, float | None]
    """The same for the expected calibration error."""


def calibrate(probabilities: Floats, truth: NDArray[np.int64], watched: int | None = None) -> Calibration:
    """Fit all methods on ``probabilities[n, labels]`` and choose by cross-validation.

    ``watched`` is the label whose probability is compared with a threshold; without it, the most probable one's is.
    """
    plain, right = _watch(probabilities, truth, watched)
    warm, isotonic = np.empty_like(plain), np.empty_like(plain)
    fold = np.random.default_rng(0).permutation(len(truth)) % _FOLDS
    for number in range(_FOLDS):
        rest, held = fold != number, fold == number
        temperature = fit_temperature(probabilities[rest], truth[rest])
        warm[held] = _watch(tempered(probabilities[held], temperature), truth[held], watched)[0]
        isotonic[held] = Isotonic.fit(plain[rest], right[rest]).apply(plain[held])
    scores = {"none": plain, "temperature": warm, "isotonic": isotonic}
    losses = {name: round(_binary_loss(values, right), 4) for name, values in scores.items()}
    errors = {name: expected_calibration_error(values, right) for name, values in scores.items()}
    method = "none" if losses["none"] <= losses["temperature"] else "temperature"
    if losses["isotonic"] < losses[method] - _WORTH_IT:
        method = "isotonic"
    return Calibration(method, round(fit_temperature(probabilities, truth), 3), losses, errors)


def fit_temperature(probabilities: Floats, truth: NDArray[np.int64]) -> float:
    """Find the temperature with the least log loss (Guo et al., 2017), between 0.25 and 4."""
    losses = [log_loss(tempered(probabilities, value), truth) for value in _TEMPERATURES]
    return float(_TEMPERATURES[int(np.argmin(losses))])


def tempered(probabilities: Floats, temperature: float) -> Floats:
    """Flatten (above 1) or sharpen (below 1) the probabilities of each row."""
    logits = np.log(np.maximum(probabilities, _TINY)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float64)


def log_loss(probabilities: Floats, truth: NDArray[np.int64]) -> float:
    """Mean of ``-log p(true label)``, in nats."""
    return float(-np.log(np.maximum(probabilities[np.arange(len(truth)), truth], _TINY)).mean())


def _watch(probabilities: Floats, truth: NDArray[np.int64], watched: int | None) -> tuple[Floats, NDArray[np.bool_]]:
    if watched is not None:
        return probabilities[:, watched], truth == watched
    return probabilities.max(axis=1), probabilities.argmax(axis=1) == truth


def _binary_loss(chances: Floats, right: NDArray[np.bool_]) -> float:
    kept = np.clip(chances, _TINY, 1 - _TINY)
    return float(-np.where(right, np.log(kept), np.log1p(-kept)).mean())
