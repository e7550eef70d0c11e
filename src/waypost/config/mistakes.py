"""What pydantic found wrong, as an operator reads it: where, what was expected there and what was found.

Pydantic's own messages speak of Python ("valid tuple", "constrained-str") and are never shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from waypost.config.document import Document
from waypost.config.naming import NAME_PATTERN
from waypost.config.place import Place, dotted
from waypost.config.redact import without_userinfo
from waypost.config.structure import allowed_at, choices_at, keys_at
from waypost.config.suggest import closest, did_you_mean
from waypost.errors import Problem

__all__ = ["problems_of"]

_LONGEST_SHOWN: Final = 40
_AS_BOOL: Final = {"yes": "true", "on": "true", "1": "true", "no": "false", "off": "false", "0": "false"}
_PATTERNS: Final = {
    NAME_PATTERN: "a name (letters, digits and . _ : / -, at most 128)",
    "^/": "a path that begins with /",
}


def problems_of(error: ValidationError, document: Document) -> list[Problem]:
    """Translate every mistake; in the order of the file."""
    details = [detail for detail in error.errors(include_url=False) if not _is_echo(detail)]
    problems = {_problem(detail, document) for detail in details}
    return sorted(problems, key=lambda problem: (problem.line, problem.column, problem.message))


def _is_echo(detail: ErrorDetails) -> bool:
    """Pydantic counts only the good items of a list, and so calls a list of bad ones too short."""
    return detail["type"] == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]


def _problem(detail: ErrorDetails, document: Document) -> Problem:
    place = _place(detail["loc"], document.value)
    kind = detail["type"]
    if kind == "missing":
        return document.problem(place, f"missing key {detail['loc'][-1]!r}", key=True)
    if kind == "extra_forbidden":
        known = keys_at(place[:-1])
        message = f"unknown key {place[-1]!r}{did_you_mean(str(place[-1]), known)}"
        return replace(document.problem(place, message, key=True), path=dotted(place[:-1]))
    say = _SAY.get(kind, _unforeseen)
    found = _found(detail["input"], document.templates.get(place))
    return document.problem(place, say(detail, place, found), key=detail["loc"][-1:] == ("[key]",))


def _place(loc: tuple[int | str, ...], value: object) -> Place:
    """Drop from ``loc`` what is not in the file: branches of unions, ``[key]``, missing keys."""
    place: list[int | str] = []
    for step in loc:
        inside: Any = value
        if (isinstance(value, dict) and step in value) or (isinstance(value, tuple) and isinstance(step, int)):
            value = inside[step]
            place.append(step)
    return tuple(place)


def _found(value: object, template: str | None) -> str:
    if template is not None:  # what the environment holds may be a secret
        return f"the value of {_short(template)}"
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case str():
            return _short(without_userinfo(value))
    return "a mapping" if isinstance(value, dict) else "a list"


def _short(text: str) -> str:
    return repr(text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…")


_Say = Callable[[ErrorDetails, Place, str], str]


def _expected(what: str) -> _Say:
    return lambda _detail, _place, found: f"expected {what}, found {found}"


def _text(detail: ErrorDetails, _place: Place, found: str) -> str:
    hint = " (put it in quotes)" if isinstance(detail["input"], int | float) else ""
    return f"expected text, found {found}{hint}"


def _number(what: str) -> _Say:
    def say(detail: ErrorDetails, _place: Place, found: str) -> str:
        written = detail["input"]
        quoted = isinstance(written, str) and written.lstrip("+-").replace(".", "", 1).isdecimal()
        return f"expected {what}, found {found}{' (remove the quotes)' if quoted else ''}"

    return say


def _bool(detail: ErrorDetails, _place: Place, found: str) -> str:
    meant = _AS_BOOL.get(str(detail["input"]).lower())
    return f"expected true or false, found {found}{f' (write {meant})' if meant else ''}"


def _choice(detail: ErrorDetails, place: Place, found: str) -> str:
    choices = choices_at(place)
    listed = " or ".join(filter(None, [", ".join(choices[:-1]), choices[-1]]))
    near = closest(str(detail["input"]), choices)
    return f"expected {listed}, found {found}{f' (did you mean {near!r}?)' if near else ''}"


def _range(_detail: ErrorDetails, place: Place, found: str) -> str:
    allowed: Mapping[str, Any] = next((schema for schema in allowed_at(place) if "minimum" in schema), {})
    low, high = allowed.get("minimum"), allowed.get("maximum")
    bounds = f"at least {low:g}" if high is None else f"between {low:g} and {high:g}"
    return f"must be {bounds}, found {found}"


def _pattern(detail: ErrorDetails, _place: Place, found: str) -> str:
    pattern = detail["ctx"]["pattern"]
    return f"expected {_PATTERNS.get(pattern, f'text that matches {pattern}')}, found {found}"


def _own_words(detail: ErrorDetails, _place: Place, found: str) -> str:
    """Pass on what our schema said; after "expected …" and "must …" one wants to know what was found."""
    message = str(detail["ctx"]["error"])
    return f"{message}, found {found}" if message.startswith(("expected ", "must ")) else message


def _unforeseen(detail: ErrorDetails, _place: Place, _found: str) -> str:
    return detail["msg"]


def _list(detail: ErrorDetails, _place: Place, found: str) -> str:
    # "list" is the tag of the schema's unions of one name and several.
    return f"expected {'a name or a list of names' if detail['loc'][-1] == 'list' else 'a list'}, found {found}"


_MAPPING: Final = _expected("a mapping")
_SAY: Final[Mapping[str, _Say]] = {
    "bool_type": _bool,
    "dict_type": _MAPPING,
    "float_type": _number("a number"),
    "greater_than_equal": _range,
    "int_type": _number("a whole number"),
    "less_than_equal": _range,
    "literal_error": _choice,
    "model_type": _MAPPING,
    "string_pattern_mismatch": _pattern,
    "string_too_short": lambda *_: "must not be empty",
    "string_type": _text,
    "too_short": lambda *_: "needs at least one entry",
    "tuple_type": _list,
    "value_error": _own_words,
}
