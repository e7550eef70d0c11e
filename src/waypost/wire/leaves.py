"""The string values of a JSON text, with their places."""

from __future__ import annotations

import json
import re
from typing import Final, NamedTuple

from waypost.errors import BadRequest

__all__ = ["Leaf", "string_leaves"]

_MAX_DEPTH: Final = 64
"""As deep as a request body itself may nest."""

_TOKEN: Final = re.compile(
    r'(?P<string>"[^"\\]*+(?:\\.[^"\\]*+)*+")(?P<key>[ \t\n\r]*+:)?|(?P<open>[{\[])|[}\]]', re.DOTALL
)
"""In valid JSON a quote outside a string opens one, so nothing else needs to be understood."""


class Leaf(NamedTuple):
    """A string that is a value, not a key. Offsets are of its quotes, ``end`` exclusive."""

    start: int
    end: int
    text: str


def string_leaves(text: str) -> list[Leaf]:
    """Find all string values, those of repeated keys included, in linear time.

    Raises ValueError for what is no JSON, and BadRequest for objects and arrays more than 64 levels deep.
    """
    try:
        json.loads(text, parse_int=float)  # int() refuses to read very long numbers
    except RecursionError:
        raise _too_deep() from None
    leaves = []
    depth = 0
    for token in _TOKEN.finditer(text):
        if token["string"]:
            if not token["key"]:
                leaves.append(Leaf(token.start(), token.end(), json.loads(token["string"])))
            continue
        depth += 1 if token["open"] else -1
        if depth > _MAX_DEPTH:
            raise _too_deep()
    return leaves


def _too_deep() -> BadRequest:
    message = f"The arguments of a tool call nest more than {_MAX_DEPTH} levels deep."
    return BadRequest(message, code="arguments_too_deep")
