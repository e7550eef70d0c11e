"""Whether the model that ships is still the model that was trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from waypost.errors import SetupError
from waypost.inference.architecture import Floats
from waypost.inference.session import EARLY

__all__ = ["BOUNDS", "Outputs", "check", "compare"]

Outputs = Mapping[str, Floats]
"""What a graph gives for one sequence."""

_VECTOR: Final = "embedding"

BOUNDS: Final = {"cosine": 0.995, "worst_cosine": 0.99, "agreement": 0.97}
"""The least that is accepted: mean and minimum cosine of embeddings, and the share of equal labels of every head."""


def compare(exact: Sequence[Outputs], shipped: Sequence[Outputs]) -> dict[str, float]:
    """Compare the embeddings and the best labels, of tokens too, of the same sequences."""
    figures = {"texts": float(len(exact))}
    for name in exact[0]:
        pairs = [(a[name], b[name]) for a, b in zip(exact, shipped, strict=True)]
        if name.endswith(_VECTOR):
            head = name.removesuffix(_VECTOR)
            cosines = [_cosine(one, other) for one, other in pairs]
            figures |= {f"{head}cosine": float(np.mean(cosines)), f"{head}worst_cosine": float(np.min(cosines))}
        else:
            equal = [np.atleast_1d(one.argmax(-1) == other.argmax(-1)) for one, other in pairs]
            figures[f"agreement.{name}"] = float(np.mean(np.concatenate(equal)))
    return figures


def check(figures: Mapping[str, float]) -> None:
    """Raise SetupError when a figure is below its bound."""
    for name, value in figures.items():
        bound = BOUNDS.get(name.removeprefix(EARLY).partition(".")[0])
        if bound is not None and value < bound:
            raise SetupError(
                f"quantisation changed the model: {name} is {value:.4f}, below {bound}; it was not written"
            )


def _cosine(one: Floats, other: Floats) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))
