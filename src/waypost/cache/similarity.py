"""How sure it is that the answer to one question is right for another: a tiny logistic model of two measures.

The embeddings' cosine alone puts another city or another object as close as a paraphrase; the share of common terms
alone misses every paraphrase. Fitted by :mod:`waypost.learn.similarity`; the coefficients are data.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final, Self

from waypost.cache.reading import Reading
from waypost.errors import SetupError

__all__ = ["SHIPPED", "Similarity", "overlap", "shipped"]

SHIPPED: Final = "similarity.json"
"""Beside this module."""


@dataclass(frozen=True, slots=True)
class Similarity:
    """The fitted model. Called with two questions and their cosine, gives a probability."""

    intercept: float
    cosine: float
    overlap: float
    threshold: float
    """Below it, wrong hits were too many on the rows that it was fitted on."""
    recipe: str
    """The encoder that the cosines came from; another one's crowd elsewhere."""

    def __call__(self, a: Reading, b: Reading, cosine: float) -> float:
        """In [0, 1]; symmetric."""
        return 1 / (1 + math.exp(-(self.intercept + self.cosine * cosine + self.overlap * overlap(a, b))))

    @classmethod
    def parse(cls, data: str) -> Self:
        """Read what :meth:`dump` wrote. Raises SetupError."""
        try:
            return cls(**json.loads(data))
        except (ValueError, TypeError) as error:
            raise SetupError(f"the cache's similarity model is unreadable ({error}); install waypost again") from error

    def dump(self, path: Path) -> None:
        """Write the model as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", "utf-8")


def overlap(a: Reading, b: Reading) -> float:
    """Share of the terms of both that both have (Jaccard), in [0, 1]."""
    union = len(a.subject | b.subject)
    return len(a.subject & b.subject) / union if union else 0.0


@cache
def shipped() -> Similarity:
    """Load the model that comes with waypost."""
    return Similarity.parse((files("waypost.cache") / SHIPPED).read_text("utf-8"))
