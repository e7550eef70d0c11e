"""A signal measured by a model of the operator's own: the labels are the model's, whatever they are."""

from __future__ import annotations

from typing import Final, Protocol

from waypost.errors import InferenceError
from waypost.inference.architecture import Floats
from waypost.types import Request, SignalResult

__all__ = ["DEFAULT_THRESHOLD", "OwnModelSignal", "TextClassifier"]

DEFAULT_THRESHOLD: Final = 0.5
"""Such models come without one."""


class TextClassifier(Protocol):
    """A model that puts a text under one of several labels."""

    @property
    def labels(self) -> tuple[str, ...]:
        """In the order of the probabilities."""
        ...

    async def probabilities(self, text: str) -> Floats:
        """Classify a text; the probabilities add up to 1. Raises InferenceError."""
        ...


class OwnModelSignal:
    """Matches the most probable label when its probability reaches the threshold, else none.

    Scores are the probabilities of all labels; they add up to 1.
    """

    cost: Final = 0.050

    def __init__(self, kind: str, classifier: TextClassifier, threshold: float | None) -> None:
        self.kind: Final = kind
        self._classifier = classifier
        self._threshold = DEFAULT_THRESHOLD if threshold is None else threshold

    @property
    def labels(self) -> tuple[str, ...]:
        """Everything that can match."""
        return self._classifier.labels

    async def measure(self, request: Request) -> SignalResult:
        """Classify the user's text. Without text, or when the model fails, every label is unknown."""
        if not request.user_text.strip():
            return self._unknown("the request has no text")
        try:
            probabilities = await self._classifier.probabilities(request.user_text)
        except InferenceError as error:
            return self._unknown(str(error))
        scores = dict(zip(self._classifier.labels, probabilities.tolist(), strict=True))
        best = max(scores, key=scores.__getitem__)
        matched = {best} if scores[best] >= self._threshold else ()
        return SignalResult(self.kind, frozenset(matched), scores, self._threshold)

    def _unknown(self, reason: str) -> SignalResult:
        return SignalResult(self.kind, threshold=self._threshold, unknown=reason)
