"""All that is said in a request: besides what its messages say, what stands next to that."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from waypost.types import Message, Request
from waypost.wire.texts import TextPlace

__all__ = ["heard"]

_Path = tuple[str | int, ...]
_Beside = Mapping[int, Mapping[_Path, Sequence[TextPlace]]]
"""By the message that it belongs to, the texts of one thing."""

_READ: Final = ("content", "tool_result", "prompt")


def heard(request: Request, places: Sequence[TextPlace]) -> Request:
    """Add messages for reasoning, refusals, arguments that are objects, a suffix and a predicted output.

    Each stands after the message that it belongs to, under its role; the strings of one tool call are one message.
    ``user_text`` stays: what is asked does not change by what else is there.
    """
    beside: defaultdict[int, defaultdict[_Path, list[TextPlace]]] = defaultdict(lambda: defaultdict(list))
    for place in places:
        if not _is_read(place):
            owner = place.path[1] if place.path[0] == "messages" else len(request.messages)
            beside[int(owner)][_thing(place)].append(place)
    return replace(request, messages=tuple(_all(request, beside))) if beside else request


def _all(request: Request, beside: _Beside) -> Iterator[Message]:
    for index in range(len(request.messages) + 1):
        yield from request.messages[index : index + 1]
        for places in beside.get(index, {}).values():
            yield Message(places[0].role, "\n".join(place.text for place in places))


def _is_read(place: TextPlace) -> bool:
    """Whether the text is in the request's own messages."""
    if place.kind == "tool_arguments":
        return _thing(place) == place.path
    return place.kind in _READ and place.path[0] not in ("suffix", "prediction")


def _thing(place: TextPlace) -> _Path:
    """Name the arguments that a string is a part of; any other place is its own."""
    path = place.path
    if place.kind == "tool_arguments" and "arguments" in path:
        return path[: path.index("arguments") + 1]
    return path
