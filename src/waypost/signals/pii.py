"""Signal ``pii``: which types of personal data stand in a request."""

from __future__ import annotations

from typing import Final

from waypost.errors import InferenceError
from waypost.signals.conversation import ConversationReader
from waypost.types import Request, SignalResult

__all__ = ["PiiSignal"]


class PiiSignal:
    """Matches each type of which a message has a span whose score reaches the threshold.

    Scores are those of the surest span of each type that was found at all.
    """

    kind: Final = "pii"
    cost: Final = 0.011

    def __init__(self, reader: ConversationReader, threshold: float) -> None:
        self._reader = reader
        self._threshold = threshold

    async def measure(self, request: Request) -> SignalResult:
        """Search every message. Without text there is nothing; when the encoder fails every type is unknown."""
        try:
            found = await self._reader.read(request)
        except InferenceError as error:
            return SignalResult(self.kind, threshold=self._threshold, unknown=str(error))
        scores: dict[str, float] = {}
        for passage in found.passages:
            for span in passage.encoding.spans:
                scores[span.type] = max(span.score, scores.get(span.type, 0.0))
        matched = frozenset(name for name, score in scores.items() if score >= self._threshold)
        return SignalResult(self.kind, matched, scores, self._threshold, skipped_tokens=found.skipped_tokens)
