"""The guards at work: each measures, judges, and notes whether it could tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from waypost.config.guarding import JailbreakGuard, PiiGuard
from waypost.guard.health import GuardHealth
from waypost.guard.personal import PersonalData, Search
from waypost.guard.verdict import about_request, judge
from waypost.signals.base import Signal
from waypost.types import Request, SignalResult, Verdict

__all__ = ["UNREADABLE", "Watch"]

UNREADABLE: Final = "the prompt has no text that can be read"


@dataclass(frozen=True)
class Watch:
    """What guards measure with. A guard that is configured has what it needs."""

    signal: Signal | None
    """``jailbreak``."""
    personal: PersonalData | None
    health: GuardHealth

    async def jailbreak(
        self, guard: JailbreakGuard, request: Request, known: SignalResult | None
    ) -> tuple[SignalResult, Verdict | None]:
        """Judge a request whose messages are all that is said in it; ``known``: what a rule had measured."""
        if known is None or not _is_spoken(request):
            result = await self.measure(request)  # to a rule all is unknown where nothing is said; a guard has no doubt
        else:
            result = known
            self.health.note("jailbreak", known.unknown)
        return result, judge(about_request(guard), result)

    async def pii(self, guard: PiiGuard, request: Request, texts: Sequence[str]) -> tuple[Search, Verdict | None]:
        """Judge the texts of a request."""
        search = await self.search(texts, guard)
        if not texts and _is_opaque(request):
            search = replace(search, result=replace(search.result, unknown=UNREADABLE))
        return search, judge(about_request(guard), search.result)

    async def measure(self, request: Request) -> SignalResult:
        """Measure attacks in the messages."""
        if not _is_spoken(request):
            return SignalResult("jailbreak", unknown=UNREADABLE if _is_opaque(request) else "")
        if self.signal is None:
            return SignalResult("jailbreak", unknown="no such signal here")
        result = await self.signal.measure(request)
        self.health.note("jailbreak", result.unknown)
        return result

    async def search(self, texts: Sequence[str], guard: PiiGuard) -> Search:
        """Search texts for personal data."""
        if self.personal is None:
            return Search(((),) * len(texts), SignalResult("pii", unknown="no such signal here"))
        search = await self.personal.search(texts, guard.thresholds)
        if any(map(_says_something, texts)):  # where nothing was read, nothing is known of who reads
            self.health.note("pii", search.result.unknown)
        return search


def _is_spoken(request: Request) -> bool:
    return any(_says_something(message.text) for message in request.messages)


def _says_something(text: str) -> bool:
    """Whether there is more than blanks, which no classifier reads."""
    return bool(text) and not text.isspace()


def _is_opaque(request: Request) -> bool:
    """Whether there is a prompt that only the backend can read: token ids or embeddings."""
    return request.wire == "completions" and not request.messages
