"""A classifier of the operator's own that reads the shared encoder's embedding: no second model, no second pass."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Self

from waypost.errors import SetupError
from waypost.inference.architecture import Floats
from waypost.inference.encoder import Encoder
from waypost.inference.head import Head

__all__ = ["EmbeddedClassifier"]


class EmbeddedClassifier:
    """A head on ``Encoding.embedding``."""

    def __init__(self, encoder: Encoder, head: Head, threshold: float | None = None) -> None:
        self._encoder = encoder
        self._head = head
        self.threshold = threshold
        """What the head comes with; None when nobody calibrated it."""

    @classmethod
    def load(cls, directory: Path, encoder: Encoder) -> Self:
        """Load what ``waypost train domain`` wrote. Raises SetupError when it does not belong to ``encoder``."""
        head = Head.load(directory, encoder.manifest.recipe)
        if len(head.weight) != encoder.manifest.dimensions:
            raise SetupError(f"the classifier in {directory} does not read the encoder's embedding; train it again")
        threshold = json.loads((directory / "manifest.json").read_bytes()).get("threshold")
        return cls(encoder, head, threshold)

    @property
    def labels(self) -> tuple[str, ...]:
        """In the order of the probabilities."""
        return self._head.labels

    async def probabilities(self, text: str) -> Floats:
        """Classify a text. Raises InferenceError."""
        return self._head.probabilities((await self._encoder.encode(text)).embedding)
