"""Saying a kept answer again, as the client asked for it: one body, or a stream.

A stream is written from the same body, whatever the answer came as: role, reasoning, text, tool calls, the reason why
it ended, and usage when the client asked for it, each as the backends send them.

It is not much longer than the body: what only the body says is said once, in the first chunk, and of a long body the
pieces are longer. The client gets all of it at once, so that neither shows, and it has to fit into one message.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from waypost.cache.capture import GROWING
from waypost.cache.entry import Entry
from waypost.types import Reply
from waypost.wire.document import Document
from waypost.wire.encode import to_json

__all__ = ["replay", "stream", "wants_usage"]

_PIECE: Final = 48
"""Characters a chunk at least: some ten tokens, so that a client shows the text as it comes."""
_MOST_PIECES: Final = 2048
"""All texts of a body together are cut into so many pieces, and one more for each text."""
_REPEATED: Final = ("id", "created", "model", "system_fingerprint", "service_tier")
"""Fields of a body that each chunk says again."""
_BRIEF: Final = 256
"""Characters. Whichever of them is longer is said once as well."""
_ELSEWHERE: Final = frozenset({"choices", "usage", "object", "error"})
"""Fields of a body that its chunks have otherwise, or not at all."""


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
    kind = {"object": "chat.completion.chunk" if entry.wire == "chat" else "text_completion"}
    shared = {key: body[key] for key in _REPEATED if key in body and len(to_json(body[key])) <= _BRIEF} | kind
    nothing = {"usage": None} if usage else {}
    length = max(_PIECE, len(entry.body) // _MOST_PIECES)
    chunk = {key: value for key, value in body.items() if key not in _ELSEWHERE} | kind
    for choice in body["choices"]:
        for part in _parts(choice, length):
            yield _event(chunk | {"choices": [part]} | nothing)
            chunk = shared
    if usage and body.get("usage") is not None:
        yield _event(shared | {"choices": [], "usage": body["usage"]})
    yield b"data: [DONE]\n\n"


def _event(chunk: Mapping[str, Any]) -> bytes:
    return f"data: {to_json(chunk)}\n\n".encode()


def _parts(choice: Mapping[str, Any], length: int) -> Iterator[dict[str, Any]]:
    """Yield one choice in pieces; the last one says why it ended, and the first one with text has the logprobs."""
    index = choice.get("index", 0)
    end = {key: value for key, value in choice.items() if key not in ("index", "message", "text", "logprobs")}
    logprobs = choice.get("logprobs")
    if isinstance(message := choice.get("message"), dict):
        deltas: list[dict[str, Any]] = [{"delta": delta} for delta in _deltas(message, length)]
        last: dict[str, Any] = {"delta": {}}
    else:
        deltas = [{"text": piece} for piece in _pieces(choice.get("text") or "", length)]
        last = {"text": ""}
    for number, delta in enumerate(deltas):
        with_logprobs = logprobs if number == min(1, len(deltas) - 1) else None
        yield {"index": index, **delta, "logprobs": with_logprobs, "finish_reason": None}
    yield {"index": index, **last, "logprobs": None if deltas else logprobs, **end}


def _deltas(message: Mapping[str, Any], length: int) -> Iterator[dict[str, Any]]:
    """Yield the role, then the texts in pieces with what a model thinks first, each tool call, and all else whole."""
    yield {"role": message.get("role", "assistant"), "content": "" if message.get("content") is not None else None}
    said = {key for key, value in message.items() if key in GROWING and isinstance(value, str)}
    for key in (*(key for key in message if key in said and key != "content"), "content"):
        for piece in _pieces(message.get(key) or "", length):
            yield {key: piece}
    calls = message.get("tool_calls") or ()
    yield from ({"tool_calls": [{"index": number} | call]} for number, call in enumerate(calls))
    told = said | {"role", "content", "tool_calls"}
    if rest := {key: value for key, value in message.items() if value is not None and key not in told}:
        yield rest


def _pieces(text: str, length: int) -> Iterator[str]:
    return (text[start : start + length] for start in range(0, len(text), length))
