"""The check of a streamed answer: its texts are read in overlapping parts, a little before the client has them.

A character goes on once it was read together with the ``hold_back`` characters before and after it, or with the end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from waypost.errors import BadRequest
from waypost.guard.bench import Bench
from waypost.types import Verdict, Wire
from waypost.wire import filtered
from waypost.wire.document import Document
from waypost.wire.events import EventCutter
from waypost.wire.generated import Channel, finished, generated
from waypost.wire.sse import SseReader

__all__ = ["StreamedAnswer"]

_MAX_EVENT: Final = 2**20
_ABOUT: Final = ("id", "created", "model")


@dataclass(slots=True)
class _Text:
    """One text of a stream; positions count characters from its beginning."""

    tail: str = ""
    """What is not cleared yet, and ``hold_back`` characters before it."""
    length: int = 0
    cleared: int = 0
    complete: bool = False


@dataclass(slots=True)
class _Held:
    event: bytes
    ends: dict[Channel, int]
    """How far each text must be cleared before the event may pass."""


class StreamedAnswer:
    """Server-Sent Events, held until what they say is cleared."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._cutter = EventCutter()
        self._held: deque[_Held] = deque()
        self._texts: dict[Channel, _Text] = {}
        self._about: dict[str, object] = {}

    async def feed(self, data: bytes, *, last: bool) -> tuple[bytes, Verdict | None]:
        """Take a piece; return what may pass, and the verdict that stops the answer there."""
        stop: Verdict | None = None
        for event in self._events(data, last=last):
            stop = self._take(event) or await self._check(over=False)
            if stop:
                break
        if last and not stop:
            stop = await self._check(over=True)
        return b"".join(self._released()), stop

    def ending(self, wire: Wire, notice: str) -> bytes:
        """Write what the client gets in place of the rest."""
        self._held.clear()
        indexes = {int(channel[0]) for channel in self._texts if channel}
        return filtered.ended(self._about, wire, indexes, notice)

    def _events(self, data: bytes, *, last: bool) -> Iterator[bytes]:
        yield from self._cutter.feed(data)
        if (last or self._cutter.held > _MAX_EVENT) and (rest := self._cutter.rest()):
            yield rest

    def _take(self, event: bytes) -> Verdict | None:
        """Note what an event says, and hold it, unless it cannot be read and that stops the answer."""
        held = _Held(event, {})
        try:
            self._read(event, held)
        except BadRequest:
            if stop := self._bench.unread("an event of the answer is no JSON object of a readable size"):
                return stop
        self._held.append(held)
        return None

    def _read(self, event: bytes, held: _Held) -> None:
        if len(event) > _MAX_EVENT:
            raise BadRequest("too long")
        reader = SseReader()
        for data in (*reader.feed(event), *reader.finish()):
            if data.strip() == b"[DONE]":
                self._complete(self._texts)
            elif data.strip():
                self._note(Document.parse(data), held)

    def _note(self, document: Document, held: _Held) -> None:
        self._about = self._about or {key: value for key in _ABOUT if (value := document.get(key)) is not None}
        for piece in generated(document):
            text = self._texts.setdefault(piece.channel, _Text())
            text.tail += piece.text
            text.length += len(piece.text)
            held.ends[piece.channel] = text.length
        ending = finished(document)
        self._complete(channel for channel in self._texts if not channel or channel[0] in ending)

    def _complete(self, channels: Iterable[Channel]) -> None:
        for channel in channels:
            self._texts[channel].complete = True

    async def _check(self, *, over: bool) -> Verdict | None:
        """Judge the texts of which enough has come, or, when it is ``over``, all that is left."""
        margin = self._bench.hold_back
        for text in self._texts.values():
            waiting = text.length - text.cleared
            whole = over or text.complete
            if not waiting or (not whole and waiting < 2 * margin):
                continue
            if stop := await self._bench.judge(text.tail):
                return stop
            text.cleared = text.length if whole else text.length - margin
            text.tail = text.tail[max(0, len(text.tail) - (text.length - text.cleared) - margin) :]
        return None

    def _released(self) -> Iterator[bytes]:
        while self._held:
            held = self._held[0]
            if any(self._texts[channel].cleared < end for channel, end in held.ends.items()):
                return
            yield self._held.popleft().event
