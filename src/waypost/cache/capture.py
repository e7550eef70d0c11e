"""Taking an answer down while it passes: whole and in one form, or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, TypeAlias

from waypost.wire.encode import to_json
from waypost.wire.sse import SseReader

__all__ = ["GROWING", "Capture", "Unfit", "lacks_usage"]

Unfit: TypeAlias = Literal["status", "encoded", "too_large", "malformed", "error", "truncated", "filtered"]
"""Why an answer is not kept."""

_DONE: Final = b"[DONE]"
_FINISHED: Final = ("stop", "length", "tool_calls", "function_call")
"""``length`` is as complete as the request wanted: its token limit is part of the digest."""
_MOST_PARTS: Final = 1024
"""Choices and tool calls. Said again as a stream, each is a few chunks, which cost more than a small one is long."""
_NOT_ASKED: Final = b'{"usage":null,'
"""So begins a kept body whose usage is missing only because nobody had asked for it. No backend writes it first."""

_FRAMING: Final = 64
"""A stream repeats id, model and time with every token, so it may be so many times longer than what it says."""


class Capture:
    """Fed the pieces of one answer; afterwards gives its body as if it had not been streamed."""

    def __init__(self, status: int, headers: Mapping[str, str], *, max_bytes: int, usage_asked: bool = True) -> None:
        """``headers``: of the answer, lower case. ``max_bytes``: a longer answer is not kept.

        ``usage_asked``: the backend would have reported usage, if it ever does.
        """
        streamed = headers.get("content-type", "").partition(";")[0].strip().lower() == "text/event-stream"
        self._events = SseReader(max_event=max_bytes * _FRAMING) if streamed else None
        self._assembly = Assembly()
        self._body = bytearray()
        self._max_bytes = max_bytes
        self._usage_asked = usage_asked
        self._taken = 0
        self._unfit: Unfit | None = None
        if not 200 <= status < 300:
            self._unfit = "status"
        elif headers.get("content-encoding", "identity") != "identity":
            self._unfit = "encoded"

    def feed(self, chunk: bytes) -> None:
        """Take one piece, of any length."""
        if self._unfit:
            return
        self._taken += len(chunk)
        if self._taken > self._max_bytes * (_FRAMING if self._events else 1):
            self._refuse("too_large")
        elif self._events:
            self._take(self._events.feed(chunk))
        else:
            self._body += chunk

    def finish(self) -> bytes | Unfit:
        """Return the body; or why it must not be kept. An answer that broke off is ``truncated``."""
        if self._events and not self._unfit:
            self._take(self._events.finish())
        if self._unfit:
            return self._unfit
        body = self._assembly.body(usage_asked=self._usage_asked) if self._events else _parsed(bytes(self._body))
        unfit = _unfit(body, done=self._assembly.done or not self._events)
        if unfit:
            return unfit
        try:
            written = to_json(body).encode()
        except (ValueError, RecursionError):
            return "malformed"  # Python's parser takes NaN and 1e999, which no other client has to understand
        kept = written if self._events else bytes(self._body)
        return kept if len(kept) <= self._max_bytes else "too_large"

    def _take(self, events: Iterable[bytes]) -> None:
        for event in events:
            if event == _DONE:
                self._assembly.done = True
            elif not isinstance(chunk := _parsed(event), dict) or not self._assembly.add(chunk):
                self._refuse("malformed")

    def _refuse(self, reason: Unfit) -> None:
        self._unfit = reason
        self._body.clear()
        self._assembly = Assembly()


def lacks_usage(body: bytes) -> bool:
    """Tell whether a kept body has no usage although its backend may report it, to those who ask."""
    return body.startswith(_NOT_ASKED)


class Assembly:
    """The chunks of one stream, joined to what they are pieces of."""

    def __init__(self) -> None:
        self.done = False
        self._top: dict[str, Any] = {}
        self._choices: dict[int, dict[str, Any]] = {}

    def add(self, chunk: Mapping[str, Any]) -> bool:
        """Join one chunk to those before; False when it is nested too deep for that."""
        for key, value in chunk.items():
            if key == "choices":
                try:
                    self._add_choices(value)
                except RecursionError:
                    return False
            elif key != _PADDING and (key not in self._top or value not in _SAYING_NOTHING or value is False):
                self._top[key] = value
        return True

    def body(self, *, usage_asked: bool) -> dict[str, Any]:
        """Return what the backend would have answered without streaming, its usage as far as it was asked for."""
        body = dict(self._top)
        if body.get("usage") is None:
            body.pop("usage", None)
            body = body if usage_asked else {"usage": None} | body
        if body.get("object") == "chat.completion.chunk":
            body["object"] = "chat.completion"
        choices = [self._choices[index] for index in sorted(self._choices)]
        return body | {"choices": [_closed(choice) for choice in choices]}

    def _add_choices(self, choices: object) -> None:
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict) and isinstance(index := choice.get("index", 0), int):
                self._choices[index] = _with(self._choices.get(index, {"index": index}), choice)


GROWING: Final = frozenset(
    {"content", "refusal", "reasoning", "reasoning_content", "thinking", "text", "summary", "arguments", "transcript"}
)
"""Texts of a delta that come in pieces, whatever they are part of."""
_SAID_ONCE: Final = frozenset({"role", "id", "type", "name", "format", "signature", "status", "model", "object"})
"""Texts of a delta that come once, or again and again."""
_NAMES: Final = ("_id", "_type", "_format", "_signature", "_status")
"""Ends of others like them: ``thought_signature``."""
_SAYING_NOTHING: Final = (None, "", 0)
"""Some chunks of Azure have an empty id and model, and were made in 1970."""
_PADDING: Final = "obfuscation"
"""OpenAI's random text beside each token, so that the length of its packet tells nothing."""


class _Same(str):
    """A text of a delta that nobody knows, of which all pieces were alike: said ``times`` times, or a name.

    Of the latter there is one; the former becomes an ordinary text with the first piece that is another.
    """

    __slots__ = ("times",)
    times: int


def _same(text: str, times: int) -> _Same:
    found = _Same(text)
    found.times = times
    return found


def _with(before: dict[str, Any], choice: Mapping[str, Any]) -> dict[str, Any]:
    """Join one chunk's choice to what came of it before."""
    found = dict(before)
    for key, value in choice.items():
        if key == "delta":
            found["message"] = _joined(before.get("message"), value)
        elif key in ("text", "logprobs") or isinstance(value, list):  # vLLM has token_ids beside them
            found[key] = _longer(before.get(key), value)
        elif key != "index":
            found[key] = _latest(before.get(key), value)
    return found


def _longer(before: object, more: object) -> object:
    """Join what grows in all its parts: the text of a completion, logprobs."""
    match before, more:
        case str(), str():
            return before + more
        case list(), list():
            before += more  # which is our own: it grows with every token
            return before
        case dict(), dict():
            return before | {name: _longer(before.get(name), value) for name, value in more.items()}
        case _:
            return before if more is None else more


def _latest(before: object, now: object) -> object:
    """Take what a choice says of itself beside its text: why it ended, a judgement that each chunk repeats (Azure)."""
    if isinstance(before, dict) and isinstance(now, dict):
        return before | {name: _latest(before.get(name), value) for name, value in now.items()}
    return before if now is None or (now == "" and before is not None) else now


def _joined(before: object, delta: object, key: str = "", parent: str = "") -> object:
    """Join one delta: texts and lists grow, objects merge, members of lists that have an ``index`` merge by it."""
    match before, delta:
        case _, None if before is not None:
            return before
        case None | str(), str():
            return _text(before or "", delta, key, parent)
        case None | dict(), dict():
            before = before or {}
            return before | {name: _joined(before.get(name), value, name, key) for name, value in delta.items()}
        case None, list():
            return _extended([], delta, key)
        case list(), list():
            return _extended(before, delta, key)
        case _:
            return delta


def _text(before: str, piece: str, key: str, parent: str) -> str:
    """Join a piece to a text. Whether an unknown one grows is told by its pieces: those of a name are all alike."""
    if not before or not piece:
        known = key in GROWING or key in _SAID_ONCE
        return before or (piece if known else _same(piece, 1))
    if key in GROWING or (parent, key) == ("audio", "data"):
        return before + piece
    if key in _SAID_ONCE or key.endswith(_NAMES):
        return piece
    if isinstance(before, _Same):
        return _same(piece, before.times + 1) if piece == before else str(before) * before.times + piece
    return before + piece


def _extended(members: list[Any], delta: list[Any], key: str) -> list[Any]:
    """Extend ``members`` itself, which :func:`_joined` has made: it may grow with every token."""
    for member in delta:
        place = _place(members, member)
        if place is None:
            members.append(_joined({}, member, key) if isinstance(member, dict) else member)
        else:
            members[place] = _joined(members[place], member, key)
    return members


def _place(members: list[Any], member: object) -> int | None:
    """Find the member that ``member`` goes on with."""
    if not isinstance(member, dict) or "index" not in member:
        return None
    wanted = member["index"]
    found = (place for place, other in enumerate(members) if isinstance(other, dict) and other.get("index") == wanted)
    return next(found, None)


def _closed(choice: dict[str, Any]) -> dict[str, Any]:
    """Give a choice the shape that it has in a body."""
    message = choice.get("message")
    if not isinstance(message, dict):
        return choice  # of a completion, which has its text in the choice itself
    message = {"role": "assistant", "content": None} | message
    if isinstance(calls := message.get("tool_calls"), list):
        message["tool_calls"] = [_without_index(call) for call in calls]
    return choice | {"message": message}


def _without_index(call: object) -> object:
    return {key: value for key, value in call.items() if key != "index"} if isinstance(call, dict) else call


def _unfit(body: object, *, done: bool) -> Unfit | None:
    if not isinstance(body, dict):
        return "malformed"
    if body.get("error") is not None:
        return "error"
    choices = body.get("choices")
    if not isinstance(choices, list) or not all(map(_can_be_said_again, choices)):
        return "malformed"
    if sum(map(_parts, choices)) > _MOST_PARTS:
        return "too_large"
    reasons = [choice.get("finish_reason") for choice in choices]
    if "content_filter" in reasons:
        return "filtered"
    return None if done and reasons and all(reason in _FINISHED for reason in reasons) else "truncated"


def _can_be_said_again(choice: object) -> bool:
    """Whether a choice has the shape that a stream is made from."""
    if not isinstance(choice, dict):
        return False
    message = choice.get("message")
    if message is None:
        return isinstance(choice.get("text"), str | None)
    if not isinstance(message, dict):
        return False
    calls = message.get("tool_calls") or []
    are_calls = isinstance(calls, list) and all(isinstance(call, dict) for call in calls)
    return are_calls and isinstance(message.get("content"), str | None)


def _parts(choice: Mapping[str, Any]) -> int:
    message = choice.get("message") or {}
    return 1 + len(message.get("tool_calls") or ())


def _parsed(data: bytes) -> object:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None
