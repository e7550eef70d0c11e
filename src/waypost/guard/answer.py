"""The check of a model's answer before the client has it.

Where an answer is stopped the client gets what was cleared, a notice, and ``finish_reason: content_filter``.
"""

from __future__ import annotations

from waypost.guard.answer_stream import StreamedAnswer
from waypost.guard.answer_whole import WholeAnswer
from waypost.guard.bench import Bench, Judge
from waypost.types import Verdict, Wire

__all__ = ["AnswerGuard"]


class AnswerGuard:
    """Fed the pieces of one answer's body, gives the pieces that may pass."""

    def __init__(self, judge: Judge, wire: Wire, *, streamed: bool) -> None:
        self._bench = Bench(judge)
        self._wire: Wire = wire
        self._body = StreamedAnswer(self._bench) if streamed else WholeAnswer(self._bench)
        self._stopped = False

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """What was found so far."""
        return tuple(self._bench.verdicts)

    async def feed(self, data: bytes, *, last: bool) -> bytes:
        """Take one piece, of any length; ``last``: nothing follows. What comes back may be empty."""
        if self._stopped:
            return b""  # the backend goes on, but nobody listens any more
        passed, stop = await self._body.feed(data, last=last)
        self._stopped = stop is not None
        return passed if stop is None else passed + self._body.ending(self._wire, _notice(stop))


def _notice(verdict: Verdict) -> str:
    if not verdict.found:
        return "[The answer was stopped: it could not be checked.]"
    if verdict.guard == "pii":
        return f"[The answer was stopped: it holds personal data ({', '.join(verdict.found)}).]"
    return "[The answer was stopped: it looks unsafe.]"
