"""How relevant a tool is to a request: what was learnt of comparing their embeddings and weighing their words."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np

from waypost.errors import SetupError
from waypost.inference.architecture import Floats
from waypost.tools.lexical import Background

__all__ = ["Relevance", "bundled"]

_TINY: Final = 1e-9
"""Instead of a division by zero, for a request that is exactly the mean."""

_SHARES: Final = "+quality"
"""This profile takes the weights of ``balanced``: with weights of its own it found the right tools no more often."""


def bundled(recipe: str) -> Path:
    """Where the weights for an encoder lie, by its profile."""
    _, plus, profile = _fitted(recipe).partition("+")
    return Path(__file__).parent / (f"relevance-{profile}.npz" if plus else "relevance.npz")


def _fitted(recipe: str) -> str:
    """Name the encoder that the weights for ``recipe`` were fitted on."""
    return recipe.removesuffix(_SHARES)


@dataclass(frozen=True, slots=True, eq=False)
class Relevance:
    """``sigmoid(scale * turned @ (tool - tool_mean) + lexical * bm25 + bias)``.

    ``turned`` is ``(query - query_mean) @ matrix``, of length 1. E5's vectors lie in a narrow cone; without their means
    they differ by what they say.
    """

    recipe: str
    """Of the encoder that the matrix was fitted on."""
    query_mean: Floats
    tool_mean: Floats
    matrix: Floats
    """[dimensions, dimensions]; stored in float16, which costs no accuracy."""
    scale: float
    lexical: float
    bias: float
    background: Background

    def query(self, embedding: Floats) -> Floats:
        """Turn a request's embedding to where tools are, in ``scale``."""
        turned = (embedding - self.query_mean) @ self.matrix
        return np.asarray(turned * (self.scale / (np.linalg.norm(turned) + _TINY)), np.float32)

    def tools(self, embeddings: Floats) -> Floats:
        """Centre the embeddings [n, dimensions] of tools."""
        return np.asarray(embeddings - self.tool_mean, np.float32)

    def probabilities(self, cosines: Floats, bm25: Floats) -> Floats:
        """Join both views of the same tools into scores in (0, 1)."""
        return np.asarray(1 / (1 + np.exp(-(cosines + self.lexical * bm25 + self.bias))), np.float32)

    def save(self, path: Path) -> None:
        """Write one file. The same values make the same bytes."""
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            recipe=self.recipe,
            query_mean=self.query_mean,
            tool_mean=self.tool_mean,
            matrix=self.matrix.astype(np.float16),
            weights=np.array([self.scale, self.lexical, self.bias]),
            counts=self.background.counts,
            sizes=np.array([self.background.tools, self.background.length]),
        )
        path.write_bytes(buffer.getvalue())

    @classmethod
    def load(cls, recipe: str, path: Path | None = None) -> Self:
        """Read what :meth:`save` wrote; what ships, unless there is a path.

        Raises SetupError when it is missing or belongs to another encoder.
        """
        path = path or bundled(recipe)
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as stored:
                arrays = dict(stored)
            fitted_on = str(arrays["recipe"])
            scale, lexical, bias = arrays["weights"].tolist()
            tools, length = arrays["sizes"].tolist()
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise SetupError(f"{path} is missing or was changed ({error}); install waypost again") from error
        if fitted_on != _fitted(recipe):
            raise SetupError(f"{path} belongs to another encoder; run python -m waypost.learn.tools --data DIR")
        background = Background(arrays["counts"], int(tools), length)
        matrix = arrays["matrix"].astype(np.float32)
        return cls(fitted_on, arrays["query_mean"], arrays["tool_mean"], matrix, scale, lexical, bias, background)
