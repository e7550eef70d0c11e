"""A classifier on the encoder's features: logistic regression with a calibrated temperature, in numpy."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from waypost.errors import SetupError
from waypost.inference.architecture import Floats

__all__ = ["Head"]

_WEIGHTS, _MANIFEST = "head.npz", "manifest.json"


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """``softmax((features @ weight + bias) / temperature)``, one column a label."""

    labels: tuple[str, ...]
    weight: NDArray[np.floating[Any]]
    """[features, labels]; stored in float16, which costs no accuracy."""
    bias: Floats
    temperature: float
    """Above 1 makes an overconfident classifier modest; fitted on held-out data."""
    recipe: str
    """The encoder recipe that the head was trained on."""

    def probabilities(self, features: Floats) -> Floats:
        """Probabilities in the order of ``labels`` for features[d] or features[n, d]."""
        logits = (features @ self.weight.astype(np.float32) + self.bias) / self.temperature
        exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return np.asarray(exponentials / exponentials.sum(axis=-1, keepdims=True), np.float32)

    def save(self, directory: Path, facts: dict[str, Any]) -> None:
        """Write the weights and a manifest that also holds ``facts``: data, seed, scores."""
        directory.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        np.savez(buffer, weight=self.weight.astype(np.float16), bias=self.bias)
        (directory / _WEIGHTS).write_bytes(buffer.getvalue())
        manifest = {
            "recipe": self.recipe,
            "labels": self.labels,
            "temperature": self.temperature,
            "sha256": hashlib.sha256(buffer.getvalue()).hexdigest(),
            **facts,
        }
        text = json.dumps(manifest, indent=2, ensure_ascii=False)
        (directory / _MANIFEST).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, directory: Path, recipe: str) -> Self:
        """Read what :meth:`save` wrote.

        Raises SetupError when the files are missing or changed, or belong to another encoder than ``recipe``.
        """
        try:
            manifest = json.loads((directory / _MANIFEST).read_bytes())
            data = (directory / _WEIGHTS).read_bytes()
        except (OSError, ValueError) as error:
            raise SetupError(f"no classifier in {directory}: {error}") from error
        if hashlib.sha256(data).hexdigest() != manifest["sha256"]:
            raise SetupError(f"{directory / _WEIGHTS} was changed; train it again")
        if manifest["recipe"] != recipe:
            raise SetupError(f"the classifier in {directory} belongs to another encoder; train it again")
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            weight, bias = arrays["weight"], arrays["bias"]
        return cls(tuple(manifest["labels"]), weight, bias, manifest["temperature"], recipe)
