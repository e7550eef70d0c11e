r"""What stands for a masked value, ``<PERSON_1>``, and the ways in which models bend it.

A surrogate is known again in any case; with spaces, hyphens or Markdown's ``\_`` for its underscores; with spaces
inside its brackets; and with its brackets written as in HTML (``&lt;PERSON_1&gt;``), a JSON string
(``\u003cPERSON_1\u003e``), a URL (``%3CPERSON_1%3E``) or Chinese text (``＜PERSON_1＞``). Without its brackets, or with
two kinds of them, it is not: ``PERSON_1`` may well be a name in the client's own code.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Collection
from re import Match
from typing import Final
from urllib.parse import quote

from waypost.wire.encode import to_json

__all__ = ["SURROGATE", "held_from", "label", "name_of", "written_like"]

_LONGEST_LABEL: Final = 48
_LONGEST_NAME: Final = 96
_SEPARATOR: Final = r"\\{0,2}_|[ -]"
_NAME: Final = rf"(?:[a-z0-9]|{_SEPARATOR})"
_BRACKETS: Final = {
    "plain": ("<", ">"),
    "wide": ("＜", "＞"),
    "html": ("&lt;", "&gt;"),
    "json": (r"\u003c", r"\u003e"),
    "url": ("%3c", "%3e"),
}
_LONGEST: Final = 2 * len(r"\u003c") + 3 * _LONGEST_NAME
"""Characters, of any surrogate however bent."""


def _whole(form: str, opening: str, closing: str) -> str:
    return rf"{re.escape(opening)}(?P<{form}>{_NAME}{{2,{_LONGEST_NAME}}}+){re.escape(closing)}"


def _begun(form: str, opening: str, closing: str) -> str:
    ending = "|".join((r"\\{1,2}", *_beginnings(closing)))
    named = rf"{re.escape(opening)}(?P<{form}>{_NAME}{{0,{_LONGEST_NAME}}}+)(?:{ending})?\Z"
    return "|".join((named, *(rf"{part}\Z" for part in _beginnings(opening))))


def _beginnings(bracket: str) -> list[str]:
    return [re.escape(bracket[:length]) for length in range(1, len(bracket))]


def _compiled(pattern: Callable[[str, str, str], str]) -> re.Pattern[str]:
    forms = "|".join(pattern(form, *brackets) for form, brackets in _BRACKETS.items())
    return re.compile(forms, re.IGNORECASE | re.ASCII)


SURROGATE: Final = _compiled(_whole)
"""Whatever could be one. A name holds no bracket of any form, so two matches never overlap."""

_BEGUN: Final = _compiled(_begun)
_NOT_IN_LABEL: Final = re.compile(r"[^A-Z0-9]+")
_SEPARATORS: Final = re.compile(rf"(?:{_SEPARATOR})+")


def label(type: str) -> str:  # noqa: A002
    """Make the first part of a surrogate's name from a type of personal data, whatever a classifier calls it."""
    return _NOT_IN_LABEL.sub("_", type.upper())[:_LONGEST_LABEL].strip("_") or "PII"


def name_of(found: Match[str]) -> str:
    """Return the name in a match of :data:`SURROGATE` as it was before it was bent: ``PERSON_1``."""
    return _straightened(found[found.lastgroup or 0])


def written_like(found: Match[str], value: str, *, in_json: bool) -> str:
    """Write ``value`` in the escape of the brackets that it replaces; ``in_json``: for the inside of a JSON string."""
    match found.lastgroup:
        case "html":
            value = html.escape(value)
        case "url":
            value = quote(value, safe="", errors="replace")
    return to_json(value)[1:-1] if in_json or found.lastgroup == "json" else value


def held_from(text: str, names: Collection[str]) -> int:
    """Find where the beginning of a surrogate of one of ``names`` stands at the end of ``text``; its length if none."""
    found = _BEGUN.search(text, max(0, len(text) - _LONGEST))
    while found:
        begun = _straightened(found[found.lastgroup]) if found.lastgroup else ""
        if any(name.startswith(begun) for name in names):
            return found.start()
        found = _BEGUN.search(text, found.start() + 1)
    return len(text)


def _straightened(name: str) -> str:
    return _SEPARATORS.sub("_", name).strip("_").upper()
