"""How good a head is on texts that it did not learn from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from waypost.inference.architecture import Floats
from waypost.inference.head import Head
from waypost.learn.examples import Example
from waypost.learn.logistic import Sample

__all__ = ["reliability", "score"]

_BINS = 10


def score(head: Head, rows: Sequence[Example], features: Floats) -> dict[str, dict[str, float]]:
    """Accuracy by kind of text and language: ``{"natural, zh": {"accuracy": 0.95, "rows": 120}}``."""
    guesses = head.probabilities(features).argmax(axis=1)
    groups: dict[str, list[bool]] = {}
    for row, guess in zip(rows, guesses, strict=True):
        groups.setdefault(f"{row.kind}, {row.language}", []).append(head.labels[guess] == row.label)
    return {name: {"accuracy": round(float(np.mean(hits)), 4), "rows": len(hits)} for name, hits in groups.items()}


def reliability(head: Head, sample: Sample) -> list[dict[str, float]]:
    """Compare what the head claims with what is true, by tenths of its confidence.

    ``confidence`` is the mean probability of the top label, ``accuracy`` how often that label was right.
    """
    probabilities = head.probabilities(sample.features)
    confidence = probabilities.max(axis=1)
    right = np.array(head.labels)[probabilities.argmax(axis=1)] == np.array(sample.labels)
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    table = []
    for index in np.unique(bins):
        inside = bins == index
        weights = sample.weights[inside]
        means = {
            "confidence": float(np.average(confidence[inside], weights=weights)),
            "accuracy": float(np.average(right[inside], weights=weights)),
        }
        table.append({name: round(value, 3) for name, value in means.items()} | {"rows": int(inside.sum())})
    return table
