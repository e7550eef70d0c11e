"""The check of an answer that is one JSON object: it is held to its end."""

from __future__ import annotations

from typing import Final

from waypost.errors import BadRequest
from waypost.guard.bench import Bench
from waypost.types import Verdict, Wire
from waypost.wire import filtered
from waypost.wire.document import Document
from waypost.wire.generated import generated

__all__ = ["WholeAnswer"]

_MAX_BODY: Final = 16 * 2**20


class WholeAnswer:
    """A JSON answer, held to its end."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._held = bytearray()
        self._passing = False
        self._document: Document | None = None

    async def feed(self, data: bytes, *, last: bool) -> tuple[bytes, Verdict | None]:
        """Take a piece; return what may pass, and the verdict that stops the answer."""
        if self._passing:
            return data, None
        self._held += data
        if len(self._held) > _MAX_BODY:
            stop = self._bench.unread("the answer is too long to be read")
            self._passing = True
        elif last:
            stop = await self._judged()
        else:
            return b"", None
        held = bytes(self._held)
        self._held.clear()
        return (held, None) if stop is None else (b"", stop)

    def ending(self, wire: Wire, notice: str) -> bytes:
        """Write what the client gets in place of it all."""
        return filtered.replaced(self._document, wire, notice)

    async def _judged(self) -> Verdict | None:
        if not self._held:
            return None
        try:
            self._document = Document.parse(bytes(self._held))
        except BadRequest:
            return self._bench.unread("the answer is no JSON object")
        return await self._bench.judge("\n\n".join(each.text for each in generated(self._document) if each.text))
