"""Where the parts of a JSON object or array stand in its text.

The standard library's C scanner tells where a value ends, so one level is walked in Python and everything below it
at C speed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import count
from json import JSONDecodeError, JSONDecoder
from typing import NamedTuple, NoReturn

from waypost.errors import BadRequest

__all__ = ["Child", "children", "duplicate", "skip_space"]

_SPACE = re.compile(r"[ \t\n\r]*")
_COLON = re.compile(r"[ \t\n\r]*:[ \t\n\r]*")
_COMMA = re.compile(r"[ \t\n\r]*,[ \t\n\r]*")
_PLAIN_DIGITS = 640  # int() takes that many in any interpreter (sys.int_info.str_digits_check_threshold)


class Child(NamedTuple):
    """A member of an object or an element of an array, with offsets into the text."""

    key: str | int
    begin: int
    """Where the key begins; in an array, the same as ``start``."""
    start: int
    end: int
    value: object


def children(text: str, start: int, *, unique: frozenset[str] = frozenset()) -> Iterator[Child]:
    """Yield the parts of the container that opens at ``text[start]``, in order.

    Below a key of ``unique`` every object must have distinct keys, or BadRequest is raised. Raises ValueError where
    the text is no JSON, and RecursionError where it nests too deep for the C scanner.
    """
    in_object = text[start] == "{"
    close = "}" if in_object else "]"
    position = skip_space(text, start + 1)
    if text.startswith(close, position):
        return
    for index in count():
        begin = position
        key: str | int = index
        if in_object:
            key, position = _key(text, position)
        value, end = (_UNIQUE.raw_decode if key in unique else _value)(text, position)
        yield Child(key, begin, position, end, value)
        comma = _COMMA.match(text, end)
        if not comma:
            _expect(close, "',' delimiter", text, skip_space(text, end))
            return
        position = comma.end()


def skip_space(text: str, position: int) -> int:
    """Find the first offset from ``position`` on that holds no JSON white space."""
    space = _SPACE.match(text, position)
    return space.end() if space else position


def duplicate(key: str, param: str | None = None) -> BadRequest:
    """Make the error for a key that stands twice where we would read one value and the backend perhaps the other."""
    return BadRequest(f"Duplicate key {key[:64]!r} in the request body.", code="duplicate_key", param=param)


def _key(text: str, position: int) -> tuple[str, int]:
    _expect('"', "property name enclosed in double quotes", text, position)
    key, end = _FAST.raw_decode(text, position)
    colon = _COLON.match(text, end)
    if not colon:
        raise JSONDecodeError("Expecting ':' delimiter", text, skip_space(text, end))
    return key, colon.end()


def _expect(character: str, what: str, text: str, position: int) -> None:
    if not text.startswith(character, position):
        raise JSONDecodeError(f"Expecting {what}", text, position)


def _value(text: str, position: int) -> tuple[object, int]:
    try:
        return _FAST.raw_decode(text, position)
    except ValueError:  # an integer that int() refuses; a real mistake is found again and raised
        return _TOLERANT.raw_decode(text, position)


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _PLAIN_DIGITS else float(digits)


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    ((twice, _),) = Counter(key for key, _ in pairs).most_common(1)
    raise duplicate(twice)


_FAST = JSONDecoder(parse_constant=_constant)
_TOLERANT = JSONDecoder(parse_constant=_constant, parse_int=_integer)
_UNIQUE = JSONDecoder(parse_constant=_constant, parse_int=_integer, object_pairs_hook=_distinct)
