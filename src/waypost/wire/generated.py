"""Where generated text stands in an answer or in one event of a streamed one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from waypost.wire.document import Document

__all__ = ["Channel", "Generated", "as_choice", "finished", "generated"]

Channel = tuple[str | int, ...]
"""What the pieces of one text share: the choice's ``index`` and keys; a tool call is named by its own ``index``."""

_SPOKEN: Final = ("content", "reasoning_content", "reasoning", "refusal")
_CALLED: Final = (("function", "arguments"), ("custom", "input"))


@dataclass(frozen=True, slots=True)
class Generated:
    """A text, or in a stream a piece of one."""

    channel: Channel
    """Empty for an error's message, which stands for itself."""
    path: tuple[str | int, ...]
    text: str
    is_json: bool
    """The arguments of a function: JSON inside a string."""

    @property
    def is_answer(self) -> bool:
        """Tell the answer itself from reasoning, refusals and tool calls."""
        return self.channel[1:] == ("text",) or self.channel[2:] == ("content",)

    @property
    def is_piece(self) -> bool:
        """Tell that more of the text may follow, if this is of a stream."""
        return self.channel[1:2] in (("delta",), ("text",))


def generated(document: Document) -> Iterator[Generated]:
    """Find all generated text of chat completions and completions; tokens in ``logprobs`` are not text."""
    for position, index, choice in _choices(document):
        path = ("choices", position)
        yield from _string(choice, "text", (index,), path)
        for key in ("message", "delta"):
            if isinstance(spoken := choice.get(key), dict):
                yield from _spoken(spoken, (index, key), (*path, key))
    if isinstance(error := document.get("error"), dict):
        for piece in _string(error, "message", (), ("error",)):
            yield Generated((), piece.path, piece.text, is_json=False)


def finished(document: Document) -> frozenset[int]:
    """Return the indexes of the choices that say that they end here."""
    return frozenset(index for _, index, choice in _choices(document) if choice.get("finish_reason"))


def as_choice(channel: Channel, text: str) -> dict[str, object]:
    """Write one more piece of a stream's text as the choice of an event."""
    index, *keys = channel
    value: object = text
    for key in reversed(keys):
        value = [{"index": key, **value}] if isinstance(key, int) and isinstance(value, dict) else {key: value}
    fields = value if isinstance(value, dict) else {}
    return {"index": index, **fields, "finish_reason": None}


def _choices(document: Document) -> Iterator[tuple[int, int, dict[str, object]]]:
    choices = document.get("choices")
    for position, choice in enumerate(choices if isinstance(choices, list) else ()):
        if isinstance(choice, dict):
            yield position, _index(choice, position), choice


def _index(item: dict[str, object], position: int) -> int:
    index = item.get("index")
    return index if isinstance(index, int) else position


def _spoken(spoken: dict[str, object], channel: Channel, path: Channel) -> Iterator[Generated]:
    for key in _SPOKEN:
        yield from _string(spoken, key, channel, path)
    if isinstance(call := spoken.get("function_call"), dict):
        yield from _string(call, "arguments", (*channel, "function_call"), (*path, "function_call"))
    calls = spoken.get("tool_calls")
    for position, call in enumerate(calls if isinstance(calls, list) else ()):
        if isinstance(call, dict):
            index = _index(call, position)
            yield from _called(call, (*channel, "tool_calls", index), (*path, "tool_calls", position))


def _called(call: dict[str, object], channel: Channel, path: Channel) -> Iterator[Generated]:
    for kind, key in _CALLED:
        if isinstance(body := call.get(kind), dict):
            yield from _string(body, key, (*channel, kind), (*path, kind))


def _string(holder: dict[str, object], key: str, channel: Channel, path: Channel) -> Iterator[Generated]:
    if isinstance(text := holder.get(key), str):
        yield Generated((*channel, key), (*path, key), text, is_json=key == "arguments")
