"""What an answer says of itself while it passes: its first token and its tokens' number."""

from __future__ import annotations

import json
import re

from waypost.types import Usage
from waypost.wire.sse import SseReader

__all__ = ["UsageReader"]

_USAGE = re.compile(rb'"usage"\s*:\s*\{')
"""A quote inside a JSON string is escaped, so generated text cannot look like this key."""

_TOKEN = re.compile(rb'"(?:content|text|reasoning|reasoning_content|refusal|name|arguments)"\s*:\s*"[^"]')
"""Something was generated: a role with empty content, which some backends send at once, is no token yet."""


_MOST = 2**53
"""Tokens. Larger numbers are nobody's, and those who add up tokens and prices do so in floats."""


class UsageReader:
    """Fed the pieces of one answer's body, JSON or Server-Sent Events by ``content_type``. Never raises.

    ``first_token`` becomes true with the first generated text of a stream, or the first byte of a JSON body.
    ``chunks`` counts the pieces. A JSON body of more than ``max_body`` bytes has no usage.
    """

    def __init__(self, content_type: str, *, max_body: int = 4 * 2**20) -> None:
        streamed = content_type.partition(";")[0].strip().lower() == "text/event-stream"
        self._events = SseReader() if streamed else None
        self._max_body = max_body
        self._body = bytearray()
        self._too_long = False
        self._with_usage = b""
        self.first_token = False
        self.chunks = 0

    def feed(self, chunk: bytes) -> None:
        """Take one piece, of any length."""
        self.chunks += 1
        if self._events:
            self._note(self._events.feed(chunk))
        elif chunk:
            self.first_token = True
            self._keep(chunk)

    def result(self) -> Usage | None:
        """Return the usage that the answer reported, the last if there were several; None when it reported none."""
        if self._events:
            self._note(self._events.finish())
            return _usage(self._with_usage)
        return _usage(bytes(self._body))

    def _note(self, events: list[bytes]) -> None:
        for event in events:
            self.first_token = self.first_token or _TOKEN.search(event) is not None
            if b'"usage"' in event and _USAGE.search(event):
                self._with_usage = event  # parsed at the end: backends may report after each token

    def _keep(self, chunk: bytes) -> None:
        self._too_long = self._too_long or len(self._body) + len(chunk) > self._max_body
        if self._too_long:
            self._body.clear()
        else:
            self._body += chunk


def _usage(answer: bytes) -> Usage | None:
    try:
        parsed = json.loads(answer)
    except (ValueError, RecursionError):
        return None
    match parsed:
        case {"usage": {"prompt_tokens": int(prompt), "completion_tokens": int(completion)}} if (
            min(prompt, completion) >= 0 and max(prompt, completion) <= _MOST
        ):
            return Usage(prompt, completion)
        case _:
            return None
