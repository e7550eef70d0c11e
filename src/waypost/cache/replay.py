"""Saying a kept answer again, as the client asked for it: one body, or a stream.

A stream is written from the same body, whatever the answer came as: role, reasoning, text, tool calls, the reason why
it ended, and usage when the client asked for it, each as the backends send them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from waypost.cache.entry import Entry
from waypost.types import Reply
from waypost.wire.document import Document
from waypost.wire.encode import to_json

__all__ = ["replay", "stream", "wants_usage"]

_PIECE: Final = 48
"""Characters a chunk: some ten tokens, so that a client shows the text as it comes."""
_ONCE: Final = frozenset({"choices", "usage", "object", "error"})
"""Fields of a body that its chunks do not all repeat."""


def replay(entry: Entry, *, streamed: bool, usage: bool, headers: Mapping[str, str]) -> Reply:
    """Make the answer for the client. ``usage``: a stream ends with it. ``headers``: beside the content's type."""
    if streamed:
        kind, body = "text/event-stream", b"".join(stream(entry, usage=usage))
    else:
        kind, body = "application/json", entry.body
    return Reply(200, body, (("content-type", kind), *headers.items()))


def wants_usage(document: Document) -> bool:
    """Tell whether a request asks for usage at the end of its stream."""
    options = document.get("stream_options")
    return isinstance(options, dict) and options.get("include_usage") is True


def stream(entry: Entry, *, usage: bool) -> Iterator[bytes]:
    """Yield the answer's events, each whole."""
    body: dict[str, Any] = json.loads(entry.body)
    shared = {key: value for key, value in body.items() if key not in _ONCE}
    shared["object"] = "chat.completion.chunk" if entry.wire == "chat" else "text_completion"
    nothing = {"usage": None} if usage else {}
    for choice in body["choices"]:
        for part in _parts(choice):
            yield _event(shared | {"choices": [part]} | nothing)
    if usage:
        yield _event(shared | {"choices": [], "usage": body.get("usage")})
    yield b"data: [DONE]\n\n"


def _event(chunk: Mapping[str, Any]) -> bytes:
    return f"data: {to_json(chunk)}\n\n".encode()


def _parts(choice: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield one choice in pieces; the last one says why it ended, and the first one with text has the logprobs."""
    index = choice.get("index", 0)
    end = {key: value for key, value in choice.items() if key not in ("index", "message", "text", "logprobs")}
    logprobs = choice.get("logprobs")
    if isinstance(message := choice.get("message"), dict):
        deltas: list[dict[str, Any]] = [{"delta": delta} for delta in _deltas(message)]
        last: dict[str, Any] = {"delta": {}}
    else:
        deltas = [{"text": piece} for piece in _pieces(choice.get("text") or "")]
        last = {"text": ""}
    for number, delta in enumerate(deltas):
        with_logprobs = logprobs if number == min(1, len(deltas) - 1) else None
        yield {"index": index, **delta, "logprobs": with_logprobs, "finish_reason": None}
    yield {"index": index, **last, "logprobs": None if deltas else logprobs, **end}


def _deltas(message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the role, then the texts in pieces with what a model thinks first, then all other fields whole."""
    yield {"role": message.get("role", "assistant"), "content": "" if message.get("content") is not None else None}
    texts = [key for key, value in message.items() if isinstance(value, str) and key not in ("role", "content")]
    for key in (*texts, "content"):
        for piece in _pieces(message.get(key) or ""):
            yield {key: piece}
    for key, value in message.items():
        if key == "tool_calls" and isinstance(value, list):
            yield from ({key: [{"index": number} | call]} for number, call in enumerate(value))
        elif value is not None and not isinstance(value, str):
            yield {key: value}


def _pieces(text: str) -> Iterator[str]:
    return (text[start : start + _PIECE] for start in range(0, len(text), _PIECE))
