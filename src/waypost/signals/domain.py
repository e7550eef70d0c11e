"""Signal ``domain``: which of the 14 MMLU-Pro subjects a request is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Self

from waypost.errors import InferenceError
from waypost.inference.encoder import Encoder, Encoding
from waypost.inference.head import BUNDLED, Head
from waypost.types import Request, SignalResult

__all__ = ["DomainSignal"]

_THRESHOLD: Final = 0.5
"""Of the head beside the encoder, which comes without one."""


class DomainSignal:
    """Matches the most probable subject when its probability reaches the threshold, else none.

    Scores are the probabilities of all subjects; they add up to 1.
    """

    kind: Final = "domain"
    cost: Final = 0.010

    def __init__(self, encoder: Encoder, head: Head | None, threshold: float) -> None:
        """``head`` reads the encoder's features; None where the encoder has a head ``domain`` of its own."""
        self._encoder = encoder
        self._head = head
        self._threshold = threshold

    @classmethod
    def load(cls, encoder: Encoder, threshold: float | None) -> Self:
        """Take the encoder's own head, else the bundled one, which must belong to ``encoder``, or SetupError.

        ``threshold``: None for what the classifier comes with.
        """
        facts = encoder.manifest.head("domain")
        head = None if facts else Head.load(BUNDLED / "domain", encoder.manifest.recipe)
        default = facts.threshold if facts else _THRESHOLD
        return cls(encoder, head, default if threshold is None else threshold)

    async def measure(self, request: Request) -> SignalResult:
        """Classify the user's text. Without text, or when the encoder fails, every subject is unknown."""
        if not request.user_text.strip():
            return self._unknown("the request has no text")
        try:
            encoding = await self._encoder.encode(request.user_text)
        except InferenceError as error:
            return self._unknown(str(error))
        scores = self._scores(encoding)
        best = max(scores, key=scores.__getitem__)
        matched = {best} if scores[best] >= self._threshold else ()
        return SignalResult(
            self.kind, frozenset(matched), scores, self._threshold, skipped_tokens=encoding.skipped_tokens
        )

    def _scores(self, encoding: Encoding) -> Mapping[str, float]:
        if self._head is None:
            return encoding.probabilities["domain"]
        return dict(zip(self._head.labels, self._head.probabilities(encoding.features).tolist(), strict=True))

    def _unknown(self, reason: str) -> SignalResult:
        return SignalResult(self.kind, threshold=self._threshold, unknown=reason)
