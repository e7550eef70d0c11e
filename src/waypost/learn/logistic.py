"""Fitting and choosing a logistic head."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from waypost.errors import SetupError
from waypost.inference.architecture import Floats
from waypost.inference.head import Head

__all__ = ["Sample", "choose", "fit", "log_loss"]

_STRENGTHS = (0.001, 0.002, 0.004, 0.008)
"""Inverse strengths of the L2 penalty that are tried."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Features with their labels and weights, row by row."""

    features: Floats
    labels: Sequence[str]
    weights: NDArray[np.float64]


def choose(train: Sample, development: Sample, recipe: str, progress: Callable[[str], None]) -> tuple[Head, float]:
    """Fit one head per penalty and keep the one with the least log loss on ``development``, and its strength.

    Log loss and not accuracy, because the probability is compared with a threshold later.
    """
    best: tuple[float, Head, float] | None = None
    for strength in _STRENGTHS:
        head = fit(train, strength, recipe)
        loss = log_loss(head, development)
        progress(f"C = {strength:g}: log loss {loss:.4f} on dev")
        if best is None or loss < best[0]:
            best = (loss, head, strength)
    if best is None:
        raise ValueError("no penalties to try")
    return best[1], best[2]


def fit(sample: Sample, strength: float, recipe: str) -> Head:
    """Fit multinomial logistic regression on standardised features, folded into weights for the raw ones."""
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise SetupError("training needs scikit-learn; pip install 'waypost[train]'") from error
    mean, scale = sample.features.mean(axis=0), sample.features.std(axis=0)
    model = LogisticRegression(C=strength, max_iter=500, tol=1e-3)
    model.fit((sample.features - mean) / scale, sample.labels, sample_weight=sample.weights)
    coefficients, intercepts = model.coef_, model.intercept_
    if len(model.classes_) == 2:  # scikit-learn keeps one column then, for the logistic function
        coefficients, intercepts = np.vstack([-coefficients, coefficients]) / 2, np.array([-1, 1]) * intercepts / 2
    weight = (coefficients / scale).T
    # Rounded here, so that everything measured from now on is what the stored head will do; the bias absorbs the error.
    stored = weight.astype(np.float16)
    bias = (intercepts - mean @ stored.astype(np.float64)).astype(np.float32)
    return Head(tuple(model.classes_.tolist()), stored, bias, temperature=1.0, recipe=recipe)


def log_loss(head: Head, sample: Sample) -> float:
    """Weighted mean of ``-log p(true label)``."""
    columns = [head.labels.index(label) for label in sample.labels]
    chances = head.probabilities(sample.features)[np.arange(len(columns)), columns]
    return float(np.average(-np.log(np.maximum(chances, 1e-12)), weights=sample.weights))
