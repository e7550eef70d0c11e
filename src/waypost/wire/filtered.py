"""Answers of which a filter wrote the end: ``finish_reason: content_filter`` in OpenAI's shapes, JSON and SSE."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from waypost.types import Reply, Request, Wire
from waypost.wire.document import Document
from waypost.wire.encode import to_json

__all__ = ["DONE", "ended", "replaced", "reply"]

DONE: Final = b"data: [DONE]\n\n"

_FILTERED: Final = "content_filter"
_OBJECTS: Final[Mapping[Wire, str]] = {"chat": "chat.completion", "completions": "text_completion"}
_CHUNKS: Final[Mapping[Wire, str]] = {"chat": "chat.completion.chunk", "completions": "text_completion"}
_NO_USAGE: Final = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


def reply(request: Request, notice: str, *, answer_id: str, created: int) -> Reply:
    """Answer 200 in the model's place, with ``notice`` as its words. ``created`` is in seconds since 1970."""
    about = {"id": answer_id, "object": _OBJECTS[request.wire], "created": created, "model": request.model}
    if not request.stream:
        whole = {**about, "choices": [_whole(request.wire, 0, notice)], "usage": _NO_USAGE}
        return Reply(200, to_json(whole).encode())
    about["object"] = _CHUNKS[request.wire]
    first = _piece(request.wire, 0, notice, role="assistant")
    return Reply(
        200,
        b"".join((_event(about, [first]), _event(about, [_piece(request.wire, 0, finish=_FILTERED)]), DONE)),
        (("content-type", "text/event-stream"), ("cache-control", "no-cache")),
    )


def replaced(answer: Document | None, wire: Wire, notice: str) -> bytes:
    """Write a whole answer anew around ``notice``; what it is about and its usage stay. None: it could not be read."""
    about = {key: answer.get(key) for key in ("id", "created", "model") if answer and answer.get(key) is not None}
    usage = (answer.get("usage") if answer else None) or _NO_USAGE
    choices = answer.get("choices") if answer else None
    count = max(1, len(choices)) if isinstance(choices, list) else 1
    filtered = [_whole(wire, index, notice) for index in range(count)]
    return to_json({**about, "object": _OBJECTS[wire], "choices": filtered, "usage": usage}).encode()


def ended(about: Mapping[str, object], wire: Wire, indexes: Collection[int], notice: str) -> bytes:
    """Write the last events of a stream: every choice ends with ``notice``. ``about``: id, created and model."""
    choices = [_piece(wire, index, notice, finish=_FILTERED) for index in sorted(indexes) or [0]]
    return _event({**about, "object": _CHUNKS[wire]}, choices) + DONE


def _whole(wire: Wire, index: int, text: str) -> dict[str, object]:
    content: dict[str, object] = {"text": text}
    if wire == "chat":
        content = {"message": {"role": "assistant", "content": text, "refusal": None}}
    return {"index": index, **content, "logprobs": None, "finish_reason": _FILTERED}


def _piece(wire: Wire, index: int, text: str = "", *, finish: str | None = None, role: str = "") -> dict[str, object]:
    content: dict[str, object] = {"text": text}
    if wire == "chat":
        content = {"delta": {key: value for key, value in (("role", role), ("content", text)) if value}}
    return {"index": index, **content, "logprobs": None, "finish_reason": finish}


def _event(about: Mapping[str, object], choices: list[dict[str, object]]) -> bytes:
    return f"data: {to_json({**about, 'choices': choices})}\n\n".encode()
