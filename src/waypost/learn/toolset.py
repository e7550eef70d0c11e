"""Labelled requests for tools, and the corpus of tools that they name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from waypost.errors import DataError
from waypost.learn.tables import Row, read_table
from waypost.tools.tool import Tool

__all__ = ["corpus_beside", "corpus_tools", "gold_places"]


def corpus_tools(path: Path) -> tuple[list[Tool], dict[str, int], list[str]]:
    """Read tools, the place of each id, and their sources. Raises DataError."""
    rows = read_table(path, {"tool_id": str, "name": str, "description": str})
    places = {row["tool_id"]: place for place, row in enumerate(rows)}
    return [_tool(row) for row in rows], places, [str(row.get("source", "")) for row in rows]


def corpus_beside(path: Path) -> Path:
    """Find the corpus in the directory of labelled rows. Raises DataError."""
    for name in ("tools_corpus.jsonl", "tools_corpus.jsonl.gz"):
        if (path.parent / name).exists():
            return path.parent / name
    raise DataError(f"needs tools_corpus.jsonl[.gz] beside {path}: tool_id, name and description of every tool")


def gold_places(path: Path, rows: Sequence[Row], places: Mapping[str, int]) -> list[list[int]]:
    """Look up the tools that each row wants. Raises DataError for an unknown one, or none."""
    unknown = {name for row in rows for name in row["gold"]} - set(places)
    if unknown or not all(row["gold"] for row in rows):
        raise DataError(f"{path}: a row has no gold tool, or one that is not in the corpus: {sorted(unknown)[:3]}")
    return [[places[name] for name in row["gold"]] for row in rows]


def _tool(row: Row) -> Tool:
    """Read a line as the function that a request would hold; ``parameters`` are descriptions by name."""
    about: dict[str, Any] = row.get("parameters") or {}
    properties = {name: {"description": text} for name, text in about.items()}
    function = {"name": row["name"], "description": row["description"], "parameters": {"properties": properties}}
    tool = Tool.read({"type": "function", "function": function})
    if tool is None:
        raise DataError(f"tool {row['tool_id']!r} cannot be read")
    return tool
