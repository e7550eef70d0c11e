"""``POST /v1/chat/completions``: what of a conversation is read. All else passes unread."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from waypost.errors import BadRequest
from waypost.types import Message, Request
from waypost.wire import fields
from waypost.wire.document import Document
from waypost.wire.encode import encodable
from waypost.wire.leaves import string_leaves

__all__ = ["INSTRUCTING", "read"]

INSTRUCTING = ("system", "developer")
"""Roles whose messages are the system prompt; ``developer`` is OpenAI's newer name for it."""

_ROLES = (*INSTRUCTING, "user", "assistant", "tool", "function")


def read(document: Document) -> Request:
    """Understand a chat request. Raises BadRequest where a field that we interpret cannot be."""
    model = fields.model(document)
    messages = _messages(document.get("messages"))
    return Request(
        wire="chat",
        model=model,
        messages=messages,
        user_text=_user_text(messages),
        stream=fields.stream(document),
        tools=_tools(document.get("tools")),
    )


def _user_text(messages: tuple[Message, ...]) -> str:
    last = next((message.text for message in reversed(messages) if message.role == "user"), "")
    return last or "\n".join(message.text for message in messages if message.text)


def _tools(tools: object) -> int:
    if tools is None:
        return 0
    if not isinstance(tools, list):
        raise fields.wrong_type("tools", "an array of objects", tools)
    return len(tools)


def _messages(messages: object) -> tuple[Message, ...]:
    if messages is None:
        raise fields.missing("messages")
    if not isinstance(messages, list):
        raise fields.wrong_type("messages", "an array of objects", messages)
    if not messages:
        raise fields.empty("messages")
    return tuple(_message(message, f"messages[{index}]") for index, message in enumerate(messages))


def _message(message: object, param: str) -> Message:
    if not isinstance(message, dict):
        raise fields.wrong_type(param, "an object", message)
    role = _role(message.get("role"), f"{param}.role")
    content = _text(message.get("content"), f"{param}.content")
    return Message(role, encodable("\n".join(filter(None, (content, *_call_texts(message))))))


def _call_texts(message: dict[str, object]) -> Iterator[str]:
    """Read what the model told its tools: a text like any other, for whoever judges the conversation."""
    calls = message.get("tool_calls")
    for call in ({"function": message.get("function_call")}, *(calls if isinstance(calls, list) else ())):
        match call:
            case {"function": {"arguments": str() as arguments}}:
                yield from _strings(arguments)
            case {"custom": {"input": str() as text}}:
                yield text


def _strings(arguments: str) -> Iterable[str]:
    """Read the strings inside the JSON that arguments should be; what is no JSON is one text."""
    try:
        return [leaf.text for leaf in string_leaves(arguments)]
    except ValueError:
        return [arguments]


def _role(role: object, param: str) -> str:
    if role is None:
        raise fields.missing(param)
    if not isinstance(role, str):
        raise fields.wrong_type(param, "a string", role)
    if role not in _ROLES:
        known = ", ".join(map(repr, _ROLES))
        message = f"Invalid value: {role[:64]!r}. Supported values are: {known}."
        raise BadRequest(message, code="invalid_value", param=param)
    return role


def _text(content: object, param: str) -> str:
    match content:
        case str():
            return content
        case None:
            return ""
        case list():
            return "\n".join(_part_texts(content, param))
        case _:
            raise fields.wrong_type(param, "a string or an array of objects", content)


def _part_texts(parts: list[object], param: str) -> Iterator[str]:
    """Read ``text`` whatever a part's type is called: backends also take ``input_text`` or a bare string."""
    for index, part in enumerate(parts):
        if isinstance(part, str):
            yield part
        elif not isinstance(part, dict):
            raise fields.wrong_type(f"{param}[{index}]", "an object", part)
        elif isinstance(text := part.get("text"), str):
            yield text
        elif part.get("type") == "text":
            raise fields.wrong_type(f"{param}[{index}].text", "a string", text)
