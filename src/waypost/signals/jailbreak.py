"""Signal ``jailbreak``: whether a message tries to override the model's instructions or its safety."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from waypost.errors import InferenceError
from waypost.signals.conversation import ConversationReader, Passage
from waypost.signals.names import ATTACKS
from waypost.signals.views import DOCUMENTS
from waypost.types import Request, SignalResult

__all__ = ["JailbreakSignal"]


class JailbreakSignal:
    """Matches each kind of attack whose probability, in the text where it is highest, reaches the threshold.

    Every message of every role is read as it stands and in the views in which an attack may hide: undisguised, joined
    with its neighbours, sentence by sentence. ``jailbreak``: an attempt to override instructions or safety.
    ``harmful``: a plain harmful request without such an attempt; a disguised one is a jailbreak. ``indirect``: a
    jailbreak that sits inside a document, so never more probable than ``jailbreak``; any jailbreak in a tool's result
    is one.
    """

    kind: Final = "jailbreak"
    cost: Final = 0.011

    def __init__(self, reader: ConversationReader, threshold: float, *, stop_early: bool) -> None:
        """``stop_early``: read no further once a jailbreak is found; for when nothing else reads the same text."""
        self._reader = reader
        self._threshold = threshold
        self._stop_early = stop_early

    async def measure(self, request: Request) -> SignalResult:
        """Judge every message. Without text, or when the encoder fails, all names are unknown."""
        try:
            found = await self._reader.scan(request, self._threshold, stop_early=self._stop_early)
        except InferenceError as error:
            return self._unknown(str(error))
        if not found.passages:
            return self._unknown("the request has no text")
        scores = _highest(map(_scores, found.passages))
        matched = frozenset(name for name, score in scores.items() if score >= self._threshold)
        return SignalResult(self.kind, matched, scores, self._threshold, skipped_tokens=found.skipped_tokens)

    def _unknown(self, reason: str) -> SignalResult:
        return SignalResult(self.kind, threshold=self._threshold, unknown=reason)


def _scores(passage: Passage) -> dict[str, float]:
    found = passage.encoding.probabilities["jailbreak"]
    attack = found["jailbreak"]
    if passage.view == "reading":
        attack += found["harmful"]  # who disguises a harmful request tries to get past somebody
    planted = 1.0 if passage.role in DOCUMENTS else passage.encoding.probabilities["indirect"]["indirect"]
    return {"jailbreak": attack, "harmful": found["harmful"], "indirect": min(attack, planted)}


def _highest(scores: Iterable[Mapping[str, float]]) -> dict[str, float]:
    rows = list(scores)
    return {name: max(row[name] for row in rows) for name in ATTACKS}
