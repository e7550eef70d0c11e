"""Server-Sent Events, read from pieces that are cut anywhere.

After the WHATWG HTML standard, section 9.2.6 (https://html.spec.whatwg.org/multipage/server-sent-events.html), but for
two things: only the data of an event is kept, and an event that the stream's end cuts short of its blank line still
counts, because some backends forget that line.
"""

from __future__ import annotations

__all__ = ["SseReader"]

_BOM = b"\xef\xbb\xbf"


class SseReader:
    """Fed the bytes of a stream, gives the data of its events: UTF-8, lines joined with a newline.

    Never holds much more than ``max_event`` bytes between two calls: an event with a longer line, or with more data, is
    dropped and reading goes on after it.
    """

    def __init__(self, *, max_event: int = 2**20) -> None:
        self._max_event = max_event
        self._partial = bytearray()
        self._after_cr = False
        self._at_start = True
        self._data: list[bytes] = []
        self._size = 0
        self._dropping = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the events that ``chunk`` completes."""
        if self._after_cr and chunk:
            chunk = chunk.removeprefix(b"\n")  # the other half of a CRLF
            self._after_cr = False
        if b"\n" not in chunk and b"\r" not in chunk:
            self._hold(chunk)
            return []
        self._after_cr = chunk.endswith(b"\r")
        # The bar makes an unfinished line, even an empty one, the last of the list.
        *lines, rest = b"".join((self._partial, chunk, b"|")).splitlines()
        self._partial.clear()
        events = [event for line in lines if (event := self._take(line)) is not None]
        self._hold(rest[:-1])
        return events

    def finish(self) -> list[bytes]:
        """Return the event that was open when the stream ended, if any."""
        if self._partial:
            self._take(bytes(self._partial))
            self._partial.clear()
        event = self._take(b"")
        return [] if event is None else [event]

    def _hold(self, part: bytes) -> None:
        self._partial += part
        if len(self._partial) > self._max_event:
            self._drop()
            del self._partial[1:]  # not all of it: an empty line would end the event

    def _take(self, line: bytes) -> bytes | None:
        """Interpret one line; the event's data when the line ends an event that has any."""
        if not line:
            return self._dispatch()
        if len(line) > self._max_event:
            self._drop()
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(_BOM)
        name, _, value = line.partition(b":")
        if name == b"data" and not self._dropping:
            self._add(value.removeprefix(b" "))
        return None

    def _add(self, value: bytes) -> None:
        self._data.append(value)
        self._size += len(value) + 1
        if self._size > self._max_event:
            self._drop()

    def _drop(self) -> None:
        self._dropping = True
        self._data.clear()

    def _dispatch(self) -> bytes | None:
        event = b"\n".join(self._data) if self._data else None
        self._data.clear()
        self._size = 0
        self._dropping = self._at_start = False
        return event
