"""A request body that is understood without being changed: JSON with the place of every top-level value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Self

from waypost.errors import BadRequest
from waypost.wire.spans import Child, children, duplicate, skip_space

__all__ = ["Document"]

_READ_OR_EDITED = frozenset(
    {
        "model",
        "messages",
        "prompt",
        "suffix",
        "prediction",
        "stream",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "chat_template_kwargs",
        "reasoning_effort",
    }
)
"""Top-level keys that may stand once only: a guard that reads one while the backend obeys the other is no guard."""

_READ_OR_EDITED_BELOW = frozenset({"messages", "prediction", "chat_template_kwargs"})
"""Those of them below which we read or edit keys, too."""

_MAX_MEMBERS = 4096
"""Top-level keys. OpenAI's API has some forty."""

_MAX_CONTAINERS = 2**18
"""Objects and arrays in all. Parsing holds the event loop, and one client must not stop all others for long."""

_BOM = b"\xef\xbb\xbf"
_CURLY = bytes.maketrans(b"[]", b"{}")
_NEITHER_BRACKET_NOR_QUOTE = bytes(set(range(256)) - set(b'[]{}"'))


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON object and where its members stand. ``text`` encodes to exactly the bytes that were parsed."""

    text: str
    start: int
    """Offset of the opening brace."""
    members: tuple[Child, ...]
    """In order, duplicates included."""
    _values: Mapping[str | int, object]

    @classmethod
    def parse(cls, body: bytes, *, max_depth: int = 64) -> Self:
        """Read a request body. Raises BadRequest for all that is no JSON object (RFC 8259) of at most ``max_depth``."""
        text = _decoded(body)
        start = skip_space(text, 0)
        if text[start : start + 1] != "{":
            raise _invalid("The request body must be a JSON object.")
        brackets = _brackets(body) if body.count(b"{") + body.count(b"[") > max_depth else b""
        if len(brackets) > 2 * _MAX_CONTAINERS:
            raise _invalid(f"The request body holds more than {_MAX_CONTAINERS} objects and arrays.")
        members = _members(text, start)
        if _nests_deeper(brackets, max_depth):
            raise _too_deep()
        return cls(text, start, members, {member.key: member.value for member in members})

    def get(self, key: str) -> object:
        """Return the value of a top-level key; None for null and for an absent key."""
        return self._values.get(key)


def _decoded(body: bytes) -> str:
    if not body.strip():
        raise _invalid("The request body is empty; a JSON object is expected.")
    if body.startswith(_BOM):
        raise _invalid("The request body begins with a byte order mark; send UTF-8 without one.")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise _invalid(f"The request body is not valid UTF-8 at byte {error.start}: {error.reason}.") from None


def _members(text: str, start: int) -> tuple[Child, ...]:
    try:
        members = tuple(islice(children(text, start, unique=_READ_OR_EDITED_BELOW), _MAX_MEMBERS + 1))
    except ValueError as error:
        raise _invalid(f"The request body is not valid JSON: {error}.") from None
    except RecursionError:
        raise _too_deep() from None
    if len(members) > _MAX_MEMBERS:
        raise _invalid(f"The request body has more than {_MAX_MEMBERS} top-level keys.")
    _refuse_trailing(text, skip_space(text, members[-1].end if members else start + 1) + 1)
    _refuse_duplicates(members)
    return members


def _refuse_trailing(text: str, end: int) -> None:
    position = skip_space(text, end)
    if position < len(text):
        line = text.count("\n", 0, position) + 1
        column = position - text.rfind("\n", 0, position)
        raise _invalid(f"The request body has text after its JSON object: line {line} column {column}.")


def _refuse_duplicates(members: tuple[Child, ...]) -> None:
    seen = set()
    for member in members:
        if member.key in seen:
            raise duplicate(str(member.key), param=str(member.key))
        if member.key in _READ_OR_EDITED:
            seen.add(member.key)


def _brackets(body: bytes) -> bytes:
    """Return the brackets of valid JSON that stand outside its strings, all as curly ones, by whole-buffer operations.

    What comes of invalid JSON does not matter: whatever is said of it, it is refused.
    """
    bare = body.replace(rb"\\", b"").replace(rb"\"", b"").translate(_CURLY, _NEITHER_BRACKET_NOR_QUOTE)
    # Adjacent quotes cancel without moving anything in or out of a string; what is left are strings with brackets.
    return b"".join(bare.replace(b'""', b"").split(b'"')[::2])


def _nests_deeper(brackets: bytes, limit: int) -> bool:
    for _ in range(limit):
        brackets = brackets.replace(b"{}", b"")  # each round takes the innermost level away
        if not brackets:
            return False
    return bool(brackets)


def _too_deep() -> BadRequest:
    return BadRequest("The request body is nested too deep.", code="invalid_json")


def _invalid(message: str) -> BadRequest:
    return BadRequest(message, code="invalid_json")
