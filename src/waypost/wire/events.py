"""Server-Sent Events as raw bytes: cut at their blank lines, nothing else changed."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["EventCutter"]

_END: Final = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)")
_OVERLAP: Final = 3
"""Bytes of an event's end that may have come before the others."""


class EventCutter:
    """Fed the bytes of a stream, gives whole events; joined, they and :meth:`rest` are the stream."""

    def __init__(self) -> None:
        self._partial = bytearray()
        self._searched = 0

    @property
    def held(self) -> int:
        """Bytes of the event that is not complete yet."""
        return len(self._partial)

    def feed(self, data: bytes) -> list[bytes]:
        """Return the events that ``data`` completes, each with its blank line."""
        self._partial += data
        events = []
        start = 0
        while end := _END.search(self._partial, max(start, self._searched)):
            events.append(bytes(self._partial[start : end.end()]))
            start = end.end()
        del self._partial[:start]
        self._searched = max(0, len(self._partial) - _OVERLAP)
        return events

    def rest(self) -> bytes:
        """Take what no blank line has ended."""
        rest = bytes(self._partial)
        self._partial.clear()
        self._searched = 0
        return rest
