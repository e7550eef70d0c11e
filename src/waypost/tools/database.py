"""The operator's tools: a JSON file in VSR's format, read strictly.

An array of ``{"tool": {"type": "function", "function": {…}}, "description": …, "category": …, "tags": […]}``.
What stands under ``tool`` is sent as it is written, to the byte.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from waypost.config.suggest import closest, did_you_mean
from waypost.errors import ConfigError, Problem
from waypost.tools.tool import Tool
from waypost.wire.encode import Written
from waypost.wire.spans import Child, children, skip_space

__all__ = ["load_tools"]

_ENTRY: Final = ("tool", "description", "category", "tags")
_TOOL: Final = ("type", "function")
_FUNCTION: Final = ("name", "description", "parameters", "strict")
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
"""OpenAI's rule for the names of functions, and the dot that MCP servers use."""

_Complaint = tuple[str, str]
"""Path within the entry, and message."""


def load_tools(path: Path) -> tuple[Tool, ...]:
    """Read the tools of ``path``. Raises ConfigError with every mistake, its line and its entry."""
    text, entries = _read(path)
    problems: list[Problem] = []
    seen: dict[str, int] = {}
    for entry in entries:
        written = text[entry.start : entry.end]
        for where, message in (*_mistakes(entry.value), *_repeated(entry, seen), *_ambiguous(written)):
            place = f"[{entry.key}].{where}" if where else f"[{entry.key}]"
            problems.append(_problem(path, text, entry.start, place, message))
    if problems:
        raise ConfigError(problems)
    return tuple(filter(None, (_tool(text, entry) for entry in entries)))


def _read(path: Path) -> tuple[str, list[Child]]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([Problem(str(path), 0, 0, "", f"cannot read the tools: {error}")]) from error
    start = skip_space(text, 0)
    if not text.startswith("[", start):
        raise ConfigError([_problem(path, text, start, "", "must be a JSON array of tools")])
    entries: list[Child] = []
    try:
        entries.extend(children(text, start))
        end = skip_space(text, entries[-1].end if entries else start + 1)
        rest = skip_space(text, end + 1)
        if rest < len(text):
            raise ConfigError([_problem(path, text, rest, "", "text after the array")])
    except (ValueError, RecursionError) as error:
        offset = getattr(error, "pos", entries[-1].end if entries else start)
        raise ConfigError([_problem(path, text, offset, "", f"not valid JSON: {error}")]) from error
    return text, entries


def _problem(path: Path, text: str, offset: int, place: str, message: str) -> Problem:
    line = text.count("\n", 0, offset) + 1
    return Problem(str(path), line, offset - text.rfind("\n", 0, offset), place, message)


def _mistakes(entry: object) -> Iterator[_Complaint]:
    if not isinstance(entry, dict):
        yield "", f"must be an object with the keys {', '.join(_ENTRY)}"
        return
    yield from _unknown(entry, _ENTRY, "", strict=True)
    for key in ("description", "category"):
        if not isinstance(entry.get(key, ""), str):
            yield key, "must be text"
    tags = entry.get("tags", [])
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        yield "tags", "must be an array of texts"
    yield from _tool_mistakes(entry.get("tool"))
    match entry:
        case {"tool": {"function": {"description": str(text)}}} | {"description": str(text)} if text.strip():
            pass
        case _:
            yield "description", "is missing, and so is tool.function.description; tools are found by what they say"


def _tool_mistakes(tool: object) -> Iterator[_Complaint]:
    if not isinstance(tool, dict):
        yield "tool", 'is missing; it is what is sent: {"type": "function", "function": {…}}'
        return
    yield from _unknown(tool, _TOOL, "tool.", strict=False)
    if tool.get("type") != "function":
        yield "tool.type", 'must be "function"'
    function = tool.get("function")
    if not isinstance(function, dict):
        yield "tool.function", "must be an object with name, description and parameters"
        return
    yield from _unknown(function, _FUNCTION, "tool.function.", strict=False)
    name = function.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        yield "tool.function.name", "must be 1 to 64 letters, digits and any of _ . -"
    if not isinstance(function.get("description", ""), str):
        yield "tool.function.description", "must be text"
    if not isinstance(function.get("parameters", {}), dict):
        yield "tool.function.parameters", "must be a JSON schema (an object)"


def _unknown(value: Mapping[str, Any], known: tuple[str, ...], place: str, *, strict: bool) -> Iterator[_Complaint]:
    """Complain of keys that VSR's format has not. What is sent may have a backend's own keys, but no misspelt ones."""
    for key in value:
        if key not in known and (strict or closest(key, known)):
            yield f"{place}{key}", f"unknown key{did_you_mean(key, known)}"


def _repeated(entry: Child, seen: dict[str, int]) -> Iterator[_Complaint]:
    match entry.value:
        case {"tool": {"function": {"name": str(name)}}}:
            first = seen.setdefault(name, int(entry.key))
            if first != entry.key:
                yield "tool.function.name", f"{name!r} is already the name of entry [{first}]"


def _ambiguous(written: str) -> Iterator[_Complaint]:
    """Complain of keys that stand twice in an object: backends differ in which of the two they obey."""
    twice: list[str] = []

    def note(pairs: list[tuple[str, object]]) -> None:
        twice.extend(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)

    json.loads(written, object_pairs_hook=note, parse_int=str)  # int() refuses thousands of digits
    for key in twice:
        yield "", f"the key {key!r} stands twice in one object"


def _tool(text: str, entry: Child) -> Tool | None:
    about: Any = entry.value  # checked above
    (tool,) = (member for member in children(text, entry.start) if member.key == "tool")
    labels = frozenset(filter(None, (*about.get("tags", ()), about.get("category"))))
    written = Written(text[tool.start : tool.end])
    return Tool.read(about["tool"], more=about.get("description", ""), labels=labels, written=written)
