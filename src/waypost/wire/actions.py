"""The edits by which a selection takes effect in the request."""

from __future__ import annotations

from typing import Literal, cast

from waypost.config.schema import ReasoningFamily
from waypost.types import Effort
from waypost.wire.chat import INSTRUCTING
from waypost.wire.edits import Edits

__all__ = ["set_model", "set_reasoning", "set_system_prompt"]


def set_model(edits: Edits, name: str) -> None:
    """Ask the backend for the model that it knows as ``name``."""
    edits.set(("model",), name)


def set_reasoning(edits: Edits, family: ReasoningFamily, *, on: bool, effort: Effort | None = None) -> None:
    """Say in the family's own words whether to reason, overruling the client; ``effort`` is medium unless given."""
    if family.type == "chat_template_kwargs":
        edits.set(("chat_template_kwargs", family.parameter), on)
    else:
        edits.set((family.parameter,), (effort or "medium") if on else family.off)


def set_system_prompt(edits: Edits, text: str, mode: Literal["insert", "replace"]) -> None:
    """Give a chat request that :func:`waypost.wire.chat.read` accepted a system prompt.

    ``insert`` puts it before the client's own, with a blank line between, inside the conversation's first message
    when that is a system or developer message and into a new first message when it is not. ``replace`` removes every
    system and developer message, wherever it stands, with all its fields, and puts a new one first.
    """
    messages = cast("list[dict[str, object]]", edits.document.get("messages"))
    if mode == "insert" and messages[0]["role"] in INSTRUCTING:
        _insert_before(edits, messages[0].get("content"), text)
        return
    if mode == "replace":
        for index, message in enumerate(messages):
            if message["role"] in INSTRUCTING:
                edits.remove(("messages", index))
    edits.insert(("messages",), 0, {"role": "system", "content": text})


def _insert_before(edits: Edits, content: object, text: str) -> None:
    path = ("messages", 0, "content")
    match content:
        case None | "":
            edits.set(path, text)
        case str():
            edits.prepend_text(path, f"{text}\n\n")
        case [{"type": "text", "text": str()}, *_]:
            # Into the part, not beside it: backends differ in what they put between two parts.
            edits.prepend_text((*path, 0, "text"), f"{text}\n\n")
        case _:
            edits.insert(path, 0, {"type": "text", "text": text})
