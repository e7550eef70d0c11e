"""Every text of a request body that a guard must read, with its place, and the way to write another text there.

Texts are: the contents of messages of every role, whole or in parts; an assistant's reasoning and refusals; the results
and arguments of tool calls; the prompts and the suffix of a completions request; predicted outputs. Names, keys, ids,
numbers, images, token ids and the client's tool definitions are not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, Literal

from waypost.errors import BadRequest
from waypost.wire.document import Document
from waypost.wire.edits import Edits, Path
from waypost.wire.encode import encodable, to_json
from waypost.wire.leaves import string_leaves

__all__ = ["Kind", "TextPlace", "replace", "texts"]

Kind = Literal["content", "reasoning", "refusal", "tool_arguments", "tool_result", "prompt"]

_MAX_TEXTS: Final = 2**16
"""Each text is a call of every recogniser, however short it is."""

_TOOL_ROLES: Final = ("tool", "function")
_SPOKEN: Final[dict[str, Kind]] = {"reasoning_content": "reasoning", "reasoning": "reasoning", "refusal": "refusal"}
_PART_KEYS: Final = ("text", "refusal", "thinking")


@dataclass(frozen=True, slots=True)
class TextPlace:
    """One text of a request and where it stands."""

    text: str
    """Never empty; a lone surrogate, which UTF-8 cannot say, is U+FFFD here, so offsets are those of the original."""
    role: str
    kind: Kind
    path: tuple[str | int, ...]
    span: tuple[int, int] | None = None
    """For a string inside JSON that is itself a string at ``path``: where its quotes stand in that JSON."""


def texts(document: Document) -> tuple[TextPlace, ...]:
    """Collect the texts in the order of the body, of a request that its wire's ``read`` has accepted.

    Tool-call arguments are a JSON document inside a string: each string value in it is a text of its own. What is no
    JSON is one plain text. Raises BadRequest for more than 65,536 texts, and for arguments that nest too deep.
    """
    found = tuple(islice(_all(document), _MAX_TEXTS + 1))
    if len(found) > _MAX_TEXTS:
        raise BadRequest(f"The request holds more than {_MAX_TEXTS} texts.", code="too_many_texts")
    return found


def replace(edits: Edits, changes: Iterable[tuple[TextPlace, str]]) -> None:
    """Put a new text in each place; all of one document's changes must come in one call, each place once.

    A text that is a whole string of the body is written anew; inside tool-call arguments, too, only the strings that
    change are written.
    """
    nested: defaultdict[Path, list[tuple[int, int, str]]] = defaultdict(list)
    for place, text in changes:
        if place.span is None:
            edits.set(place.path, text)
        else:
            nested[place.path].append((*place.span, to_json(text)))
    for path, strings in nested.items():
        edits.set(path, _spliced(_string_at(edits.document, path), sorted(strings)))


def _spliced(text: str, strings: Iterable[tuple[int, int, str]]) -> str:
    pieces: list[str] = []
    position = 0
    for start, end, new in strings:
        pieces += (text[position:start], new)
        position = end
    return "".join((*pieces, text[position:]))


def _string_at(document: Document, path: Path) -> str:
    first, *rest = path
    value = document.get(str(first))
    for key in rest:
        value = value[key]  # type: ignore[index]  # texts() walked here
    return str(value)


def _all(document: Document) -> Iterator[TextPlace]:
    messages = document.get("messages")
    if isinstance(messages, list):
        for index, message in enumerate(messages):
            if isinstance(message, dict):
                yield from _message(message, ("messages", index))
    yield from _content(document.get("prompt"), "user", "prompt", ("prompt",))
    yield from _content(document.get("suffix"), "user", "prompt", ("suffix",))
    match document.get("prediction"):
        case {"content": content}:
            yield from _content(content, "assistant", "content", ("prediction", "content"))


def _message(message: dict[str, object], path: Path) -> Iterator[TextPlace]:
    role = str(message.get("role"))
    kind: Kind = "tool_result" if role in _TOOL_ROLES else "content"
    yield from _content(message.get("content"), role, kind, (*path, "content"))
    for key, spoken in _SPOKEN.items():
        yield from _string(message.get(key), role, spoken, (*path, key))
    yield from _function(message.get("function_call"), role, (*path, "function_call"))
    calls = message.get("tool_calls")
    for index, call in enumerate(calls if isinstance(calls, list) else ()):
        if isinstance(call, dict):
            yield from _call(call, role, (*path, "tool_calls", index))


def _call(call: dict[str, object], role: str, path: Path) -> Iterator[TextPlace]:
    yield from _function(call.get("function"), role, (*path, "function"))
    match call.get("custom"):
        case {"input": text}:
            yield from _string(text, role, "tool_arguments", (*path, "custom", "input"))


def _function(function: object, role: str, path: Path) -> Iterator[TextPlace]:
    match function:
        case {"arguments": str() as arguments}:
            yield from _json_text(arguments, role, (*path, "arguments"))
        case {"arguments": arguments}:  # some clients send the object itself
            yield from _values(arguments, role, (*path, "arguments"))


def _content(content: object, role: str, kind: Kind, path: Path) -> Iterator[TextPlace]:
    yield from _string(content, role, kind, path)
    for index, part in enumerate(content if isinstance(content, list) else ()):
        yield from _string(part, role, kind, (*path, index))
        if isinstance(part, dict):
            for key in _PART_KEYS:
                yield from _string(part.get(key), role, kind, (*path, index, key))


def _string(text: object, role: str, kind: Kind, path: Path) -> Iterator[TextPlace]:
    if isinstance(text, str) and text:
        yield TextPlace(encodable(text), role, kind, tuple(path))


def _json_text(arguments: str, role: str, path: Path) -> Iterator[TextPlace]:
    try:
        leaves = string_leaves(arguments)
    except ValueError:
        yield from _string(arguments, role, "tool_arguments", path)
        return
    for leaf in leaves:
        if leaf.text:
            yield TextPlace(encodable(leaf.text), role, "tool_arguments", tuple(path), (leaf.start, leaf.end))


def _values(value: object, role: str, path: Path) -> Iterator[TextPlace]:
    """Walk an object that stands in the body itself: the document's own limit bounds its depth."""
    match value:
        case str():
            yield from _string(value, role, "tool_arguments", path)
        case dict():
            for key, below in value.items():
                yield from _values(below, role, (*path, key))
        case list():
            for index, below in enumerate(value):
                yield from _values(below, role, (*path, index))
