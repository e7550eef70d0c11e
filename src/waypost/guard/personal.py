"""Personal data in the texts of a request or an answer, with its places, within bounds of time and work."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from waypost.errors import InferenceError
from waypost.guard.pii.find import find
from waypost.guard.pii.finding import Finding
from waypost.inference.encoder import Encoder
from waypost.inference.tags import Span
from waypost.types import SignalResult

__all__ = ["PersonalData", "Search"]

_INLINE: Final = 1_000
"""Characters that the recognisers search in about a millisecond; more of them are searched off the event loop."""
_SEARCHED: Final = 1_000_000
"""Characters of one request that are searched at all, the newest first: a second or two of a thread."""
_CHARACTERS_PER_TOKEN: Final = 4
"""For what was not even tokenized."""


@dataclass(frozen=True, slots=True)
class Search:
    """What was found, and how far it can be trusted."""

    findings: tuple[tuple[Finding, ...], ...]
    """For each text, in order."""
    result: SignalResult
    """The same by type. Findings count even where it is unknown: recognisers need no encoder."""

    def only(self, types: Iterable[str]) -> tuple[tuple[Finding, ...], ...]:
        """Return the findings of some types."""
        wanted = frozenset(types)
        return tuple(tuple(each for each in found if each.type in wanted) for found in self.findings)


class PersonalData:
    """Looks with recognisers and the token classifier, from the newest text to the oldest."""

    def __init__(self, encoder: Encoder, threshold: float, *, deadline: float, max_windows: int) -> None:
        """``threshold`` in [0, 1], for types without one of their own; ``deadline`` in seconds for one search."""
        self._encoder = encoder
        self._threshold = threshold
        self._deadline = deadline
        self._max_windows = max_windows

    async def search(self, texts: Sequence[str], thresholds: Mapping[str, float]) -> Search:
        """Search every text. Never raises: what fails or is left out makes the result say so."""
        work = _Work({text: [] for text in reversed(texts) if text and not text.isspace()})
        try:
            async with asyncio.timeout(self._deadline):
                await self._classify(work)
        except InferenceError as error:
            work.unknown = str(error)
        except TimeoutError:
            work.unknown = f"the texts were not read within {self._deadline:g} s"
        found = await self._recognise(work, thresholds)
        scores: dict[str, float] = {}
        for finding in (each for text in found.values() for each in text):
            scores[finding.type] = max(finding.score, scores.get(finding.type, 0.0))
        result = SignalResult(
            "pii", frozenset(scores), scores, self._threshold, work.unknown, skipped_tokens=work.skipped_tokens
        )
        return Search(tuple(found.get(text, ()) for text in texts), result)

    async def _classify(self, work: _Work) -> None:
        windows = 0
        for text in work.spans:
            if windows >= self._max_windows:
                work.skipped_tokens += _tokens(text)
                continue
            encoding = await self._encoder.encode(text)
            windows += encoding.windows
            work.skipped_tokens += encoding.skipped_tokens
            work.spans[text] = encoding.spans

    async def _recognise(self, work: _Work, thresholds: Mapping[str, float]) -> dict[str, tuple[Finding, ...]]:
        gone = threading.Event()
        if sum(map(len, work.spans)) <= _INLINE:
            return self._found(work, thresholds, gone)
        try:
            async with asyncio.timeout(self._deadline):
                return await asyncio.to_thread(self._found, work, thresholds, gone)
        except TimeoutError:
            work.unknown = f"the texts were not searched within {self._deadline:g} s"
            return {}
        finally:
            gone.set()

    def _found(
        self, work: _Work, thresholds: Mapping[str, float], gone: threading.Event
    ) -> dict[str, tuple[Finding, ...]]:
        found: dict[str, tuple[Finding, ...]] = {}
        left = _SEARCHED
        for text, spans in work.spans.items():
            left -= len(text)
            if left < 0:
                work.skipped_tokens += _tokens(text)
            elif not gone.is_set():
                found[text] = find(text, spans, self._threshold, thresholds)
        return found


@dataclass(slots=True)
class _Work:
    spans: dict[str, Sequence[Span]] = field(default_factory=dict)
    """By text, the newest first; empty for what the classifier did not read."""
    skipped_tokens: int = 0
    unknown: str = ""


def _tokens(text: str) -> int:
    return -(-len(text) // _CHARACTERS_PER_TOKEN)
