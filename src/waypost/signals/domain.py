"""Signal ``domain``: which of the 14 MMLU-Pro subjects a request is about."""

from __future__ import annotations

from typing import Final

from waypost.errors import InferenceError
from waypost.inference.encoder import Encoder
from waypost.types import Request, SignalResult

__all__ = ["DomainSignal"]


class DomainSignal:
    """Matches the most probable subject when its probability reaches the threshold, else none.

    Scores are the probabilities of all subjects; they add up to 1.
    """

    kind: Final = "domain"
    cost: Final = 0.010

    def __init__(self, encoder: Encoder, threshold: float) -> None:
        """``encoder`` must have a head ``domain``."""
        self._encoder = encoder
        self._threshold = threshold

    async def measure(self, request: Request) -> SignalResult:
        """Classify the user's text. Without text, or when the encoder fails, every subject is unknown."""
        if not request.user_text.strip():
            return self._unknown("the request has no text")
        try:
            encoding = await self._encoder.encode(request.user_text)
        except InferenceError as error:
            return self._unknown(str(error))
        scores = encoding.probabilities[self.kind]
        best = max(scores, key=scores.__getitem__)
        matched = {best} if scores[best] >= self._threshold else ()
        return SignalResult(
            self.kind, frozenset(matched), scores, self._threshold, skipped_tokens=encoding.skipped_tokens
        )

    def _unknown(self, reason: str) -> SignalResult:
        return SignalResult(self.kind, threshold=self._threshold, unknown=reason)
