"""A stream of Server-Sent Events whose generated texts are restored; all else passes as it came."""

from __future__ import annotations

import re
from typing import Final

from waypost.errors import BadRequest
from waypost.wire.document import Document
from waypost.wire.encode import to_json
from waypost.wire.generated import finished
from waypost.wire.restore_texts import TextRestorer

__all__ = ["EventRestorer"]

_EVENT_END: Final = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)")
_OVERLAP: Final = 3
"""Bytes of an event's end that may have come before the others."""
_DATA: Final = re.compile(rb"(?:\xef\xbb\xbf)?data: ?")
_MAY_BEGIN_SURROGATE: Final = re.compile(rb"[<&%\\]|\xef\xbc\x9c")
"""An opening bracket of any form, or an escape in which the event's JSON may hide one."""
_ENVELOPE: Final = ("id", "object", "created", "model")


class EventRestorer:
    """Fed the bytes of a stream, gives the bytes for the client, a whole event at a time.

    An event of more than ``max_event`` bytes passes with its surrogates.
    """

    def __init__(self, texts: TextRestorer, *, max_event: int = 2**20) -> None:
        self._texts = texts
        self._max_event = max_event
        self._partial = bytearray()
        self._searched = 0
        self._after_cr = False
        self._passing = False
        self._envelope: dict[str, object] = {}

    def feed(self, data: bytes) -> bytes:
        """Return the events that ``data`` completes."""
        out = bytearray()
        if self._after_cr and data:
            self._after_cr = False
            if data.startswith(b"\n"):  # the other half of a CRLF
                out += b"\n"
                data = data[1:]
        self._partial += data
        while end := _EVENT_END.search(self._partial, self._searched):
            event = self._taken(end.end())
            self._after_cr = event.endswith(b"\r") and not self._partial
            out += event if self._passing else self._restored(event)
            self._passing = False
        self._searched = max(0, len(self._partial) - _OVERLAP)
        if len(self._partial) > self._max_event:
            self._passing = True
            out += self._taken(self._searched)
        return bytes(out)

    def end(self) -> bytes:
        """Return the event that the stream's end cut short, and what texts held back."""
        rest = self._taken(len(self._partial))
        out = rest if self._passing else self._restored(rest)
        held = self._event(self._texts.leave())
        return out + b"\n\n" + held if out and held else out + held

    def _taken(self, length: int) -> bytes:
        taken = bytes(self._partial[:length])
        del self._partial[:length]
        self._searched = 0
        return taken

    def _restored(self, event: bytes) -> bytes:
        if not self._texts.holds and not _MAY_BEGIN_SURROGATE.search(event):
            return event
        lines = event.splitlines(keepends=True)
        data = {number: prefix.end() for number, line in enumerate(lines) if (prefix := _DATA.match(line))}
        content = b"\n".join(lines[number].rstrip(b"\r\n")[begin:] for number, begin in data.items())
        if content.strip() == b"[DONE]":
            return self._event(self._texts.leave()) + event
        before, changed = self._edited(content)
        # A JSON string holds no line break, so no edit adds or removes one.
        for (number, begin), new in zip(data.items(), changed.split(b"\n"), strict=True) if changed else ():
            line = lines[number]
            lines[number] = line[:begin] + new + line[len(line.rstrip(b"\r\n")) :]
        return before + b"".join(lines)

    def _edited(self, content: bytes) -> tuple[bytes, bytes]:
        """Restore an event's data: an event to be sent before it, and the new data, empty when nothing changes."""
        try:
            document = Document.parse(content)
            edits = self._texts.edits(document)
            changed = edits.render() if edits else b""
        except BadRequest:
            return b"", b""
        if document.get("choices"):
            self._envelope = {key: value for key in _ENVELOPE if isinstance(value := document.get(key), str | int)}
        return self._event(self._texts.leave(finished(document))), changed

    def _event(self, choices: list[dict[str, object]]) -> bytes:
        if not choices:
            return b""
        return f"data: {to_json({**self._envelope, 'choices': choices})}\n\n".encode()
