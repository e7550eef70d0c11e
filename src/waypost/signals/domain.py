"""Signal ``domain``: which of the 14 MMLU-Pro subjects a request is about."""

from __future__ import annotations

from typing import Final, Self

from waypost.errors import InferenceError
from waypost.inference.encoder import Encoder
from waypost.inference.head import BUNDLED, Head
from waypost.types import Request, SignalResult

__all__ = ["DomainSignal"]


class DomainSignal:
    """Matches the most probable subject when its probability reaches the threshold, else none.

    Scores are the probabilities of all subjects; they add up to 1.
    """

    kind: Final = "domain"
    cost: Final = 0.010

    def __init__(self, encoder: Encoder, head: Head, threshold: float) -> None:
        self._encoder = encoder
        self._head = head
        self._threshold = threshold

    @classmethod
    def load(cls, encoder: Encoder, threshold: float) -> Self:
        """Load the bundled classifier. Raises SetupError when it does not belong to ``encoder``."""
        return cls(encoder, Head.load(BUNDLED / "domain", encoder.manifest.recipe), threshold)

    async def measure(self, request: Request) -> SignalResult:
        """Classify the user's text. Without text, or when the encoder fails, every subject is unknown."""
        if not request.user_text.strip():
            return self._unknown("the request has no text")
        try:
            encoding = await self._encoder.encode(request.user_text)
        except InferenceError as error:
            return self._unknown(str(error))
        probabilities = self._head.probabilities(encoding.features).tolist()
        scores = dict(zip(self._head.labels, probabilities, strict=True))
        best = max(scores, key=scores.__getitem__)
        matched = {best} if scores[best] >= self._threshold else ()
        return SignalResult(self.kind, frozenset(matched), scores, self._threshold)

    def _unknown(self, reason: str) -> SignalResult:
        return SignalResult(self.kind, threshold=self._threshold, unknown=reason)
