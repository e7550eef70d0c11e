"""The tools of a chat request: what is offered, what was used, and the edit that changes the offer."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from waypost.wire.document import Document
from waypost.wire.edits import Edits
from waypost.wire.encode import Written

__all__ = ["Offer", "read_offer", "set_offer"]

_MEANINGLESS_WITHOUT_TOOLS = ("tool_choice", "parallel_tool_calls")
"""OpenAI refuses a request that has these but no tools."""


@dataclass(frozen=True, slots=True)
class Offer:
    """The tools that a client offers."""

    tools: tuple[Mapping[str, Any], ...] = ()
    """As the client wrote them, whatever their shape."""
    free: bool = False
    """The model may call any tool or none; False where the client forces or forbids a call, or narrows the choice."""
    used: frozenset[str] = frozenset()
    """Names of tools that were called earlier in the conversation."""


def read_offer(document: Document) -> Offer:
    """Read the tools of a request that :func:`waypost.wire.chat.read` accepted.

    Without ``tool_choice`` the choice is free if there are tools, and there is none to make if not: OpenAI's default.
    """
    tools = document.get("tools")
    offered = tuple(tools) if isinstance(tools, list) else ()
    choice = document.get("tool_choice")
    known = all(isinstance(tool, dict) for tool in offered)
    legacy = bool(document.get("functions"))  # backends refuse both kinds, or read one of them
    free = known and not legacy and (choice == "auto" or (choice is None and bool(offered)))
    return Offer(offered, free, frozenset(_used(document.get("messages"))))


def set_offer(edits: Edits, kept: Collection[int], added: Sequence[Written]) -> None:
    """Leave the client's tools at the indexes ``kept``, byte for byte and in order, and put ``added`` behind them.

    Without any tool left, the fields that need some go too.
    """
    tools = edits.document.get("tools")
    count = len(tools) if isinstance(tools, list) else 0
    if not kept and added:
        edits.set(("tools",), Written(f"[{','.join(tool.text for tool in added)}]"))
    elif not kept:
        for name in ("tools", *_MEANINGLESS_WITHOUT_TOOLS):
            edits.remove((name,))
    else:
        for index in range(count):
            if index not in kept:
                edits.remove(("tools", index))
        for tool in added:
            edits.insert(("tools",), count, tool)


def _used(messages: object) -> Iterator[str]:
    for message in messages if isinstance(messages, list) else ():
        match message:
            case {"role": "tool" | "function", "name": str(name)}:
                yield name
            case {"role": "assistant"}:
                yield from _called(message)


def _called(message: Mapping[str, Any]) -> Iterator[str]:
    calls = message.get("tool_calls")
    for call in ({"function": message.get("function_call")}, *(calls if isinstance(calls, list) else ())):
        match call:
            case {"function": {"name": str(name)}} | {"custom": {"name": str(name)}}:
                yield name
