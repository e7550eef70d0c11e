"""The check of a streamed answer: its texts are read in overlapping parts, a little before the client has them.

A character goes on once it was read together with the ``hold_back`` characters before and after it, or with the end.
Events keep their order, so a text that pauses would hold up all that follows. Once the other texts of its choice have
gone on for ``hold_back`` characters, as an answer does after its reasoning, what it had said before waits no longer for
more. If it goes on after all, it is read together with what came before the pause.
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
from waypost.wire.generated import Channel, Generated, finished, generated
from waypost.wire.sse import SseReader

__all__ = ["StreamedAnswer"]

_MAX_EVENT: Final = 2**20
_MAX_HELD: Final = 32 * 2**20
"""Bytes of memory. Where more waits, perhaps for a choice that stands still, it is read as if the answer were over."""
_BESIDE: Final = 400
"""Bytes that an event takes while it is held, besides its own."""
_ABOUT: Final = ("id", "created", "model")


@dataclass(slots=True)
class _Text:
    """One text of a stream; positions count characters from its beginning."""

    tail: str = ""
    """The end of it, with what is not cleared yet."""
    length: int = 0
    cleared: int = 0
    ripe: int = 0
    """To here nothing more is waited for: the text ended there, or others went on."""
    paused_at: int = 0
    elsewhere: int = 0
    """Characters that other texts of the choice have said since this one was ``paused_at`` long."""

    def add(self, piece: str) -> None:
        """Go on."""
        self.tail += piece
        self.length += len(piece)

    def end(self) -> None:
        """Wait for nothing more."""
        self.ripe = self.length

    def pass_by(self, characters: int, margin: int) -> None:
        """Let another text of the choice go on; after a ``margin`` of that, what was said before it is ripe."""
        if not self.elsewhere:
            self.paused_at = self.length
        if self.elsewhere + characters < margin:
            self.elsewhere += characters
        elif characters >= margin:
            self.ripe, self.elsewhere = self.length, 0
        else:  # it may have gone on since the pause; then this is the first of what others say after that
            self.ripe = max(self.ripe, self.paused_at)
            self.paused_at, self.elsewhere = self.length, characters

    def readable(self, margin: int) -> int:
        """Return how far the text is cleared if nothing is wrong with its tail; texts are read a ``margin`` at once."""
        waiting = self.length - self.cleared
        return max(self.ripe, self.length - margin if waiting >= 2 * margin else 0)

    def clear(self, to: int, margin: int) -> None:
        """Keep what is to be read with the next part: enough that no pause parts what would be read as one."""
        self.cleared = to
        self.tail = self.tail[-max(self.length - to + margin, 2 * margin) :]


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
        self._size = 0
        self._texts: dict[Channel, _Text] = {}
        self._about: dict[str, object] = {}

    async def feed(self, data: bytes, *, last: bool) -> tuple[bytes, Verdict | None]:
        """Take a piece; return what may pass, and the verdict that stops the answer there."""
        passed: list[bytes] = []
        for event in self._events(data, last=last):
            stop = self._take(event) or await self._check(over=self._size > _MAX_HELD)
            passed += self._released()
            if stop:
                return b"".join(passed), stop
        stop = await self._check(over=True) if last else None
        passed += self._released()
        return b"".join(passed), stop

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
        self._size += len(event) + _BESIDE
        return None

    def _read(self, event: bytes, held: _Held) -> None:
        if len(event) > _MAX_EVENT:
            raise BadRequest("too long")
        reader = SseReader()
        for data in (*reader.feed(event), *reader.finish()):
            if data.strip() == b"[DONE]":
                self._end(self._texts)
            elif data.strip():
                self._note(Document.parse(data), held)

    def _note(self, document: Document, held: _Held) -> None:
        self._about = self._about or {key: value for key in _ABOUT if (value := document.get(key)) is not None}
        for piece in generated(document):
            text = self._texts.setdefault(piece.channel, _Text())
            text.add(piece.text)
            held.ends[piece.channel] = text.length
            self._pass_by(piece)
        ending = finished(document)
        self._end(channel for channel in self._texts if not channel or channel[0] in ending)

    def _pass_by(self, piece: Generated) -> None:
        for channel, text in self._texts.items():
            if channel[:1] == piece.channel[:1] and channel != piece.channel:
                text.pass_by(len(piece.text), self._bench.hold_back)

    def _end(self, channels: Iterable[Channel]) -> None:
        for channel in channels:
            self._texts[channel].end()

    async def _check(self, *, over: bool) -> Verdict | None:
        """Judge the texts of which enough has come, or, when it is ``over``, all that is left."""
        if over:
            self._end(self._texts)
        margin = self._bench.hold_back
        for text in self._texts.values():
            if (to := text.readable(margin)) > text.cleared:
                if stop := await self._bench.judge(text.tail):
                    return stop
                text.clear(to, margin)
        return None

    def _released(self) -> Iterator[bytes]:
        while self._held:
            held = self._held[0]
            if any(self._texts[channel].cleared < end for channel, end in held.ends.items()):
                return
            self._held.popleft()
            self._size -= len(held.event) + _BESIDE
            yield held.event
