"""Showing a dictionary of figures in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["print_figures", "say"]


def say(line: str) -> None:
    """Print one line about what happens now, to stderr."""
    import sys

    print(line, file=sys.stderr, flush=True)


def print_figures(figures: Mapping[str, Any]) -> None:
    """Print single figures as a list, and groups of figures as tables. Lists are for --json and reports."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    summary = Table.grid(padding=(0, 2))
    for name, value in figures.items():
        if isinstance(value, Mapping) and not _is_table(value):
            cell = "  ".join(f"{key} {_cell(part)}" for key, part in value.items())
            summary.add_row(f"[bold]{_words(name)}[/]", cell)
        elif not isinstance(value, (Mapping, list)):
            summary.add_row(f"[bold]{_words(name)}[/]", _cell(value))
    console.print(summary)
    for name, value in figures.items():
        if isinstance(value, Mapping) and _is_table(value):
            console.print(_table(name, value))


def _is_table(value: Mapping[str, Any]) -> bool:
    return bool(value) and all(isinstance(row, Mapping) for row in value.values())


def _table(name: str, groups: Mapping[str, Mapping[str, Any]]) -> Any:  # noqa: ANN401 - rich is imported late
    from rich.markup import escape
    from rich.table import Table

    columns = list(next(iter(groups.values())))
    table = Table(_words(name), *map(_words, columns))
    for group, row in groups.items():
        table.add_row(escape(group), *(_cell(row[column]) for column in columns))
    return table


def _cell(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{_words(key)} {_cell(part)}" for key, part in value.items())
    return "-" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def _words(name: str) -> str:
    return name.replace("_", " ")
