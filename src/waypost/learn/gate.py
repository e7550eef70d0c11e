"""Whether the model that ships is still the model that was trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from waypost.errors import SetupError
from waypost.inference.architecture import Floats

__all__ = ["BOUNDS", "Outputs", "check", "compare"]

Outputs = Mapping[str, Floats]
"""What a graph gives for one sequence."""

BOUNDS: Final = {"cosine": 0.995, "worst_cosine": 0.99, "agreement": 0.97}
"""The least that is accepted: mean and minimum cosine of embeddings, and the share of equal labels of every head."""


def compare(exact: Sequence[Outputs], shipped: Sequence[Outputs]) -> dict[str, float]:
    """Compare the embeddings and the best labels, of tokens too, of the same sequences."""
    cosines = [_cosine(a["embedding"], b["embedding"]) for a, b in zip(exact, shipped, strict=True)]
    figures = {"texts": float(len(cosines)), "cosine": float(np.mean(cosines)), "worst_cosine": float(np.min(cosines))}
    for name in exact[0].keys() - {"embedding"}:
        equal = [a[name].argmax(-1) == b[name].argmax(-1) for a, b in zip(exact, shipped, strict=True)]
        figures[f"agreement.{name}"] = float(np.mean(np.concatenate([np.atleast_1d(each) for each in equal])))
    return figures


def check(figures: Mapping[str, float]) -> None:
    """Raise SetupError when a figure is below its bound."""
    for name, value in figures.items():
        bound = BOUNDS.get(name.partition(".")[0])
        if bound is not None and value < bound:
            raise SetupError(
                f"quantisation changed the model: {name} is {value:.4f}, below {bound}; it was not written"
            )


def _cosine(one: Floats, other: Floats) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))
