"""Figures as Markdown, on stdout and in the marked blocks of the documentation, and as JSON."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from textwrap import fill
from typing import Any, Final

from machine import facts

__all__ = ["arguments", "publish", "spread", "table"]

_DOCUMENT: Final = Path(__file__).parents[1] / "docs/reference/performance.md"


def arguments(
    description: str | None, *, seconds: float | None = None, rounds: int | None = 3
) -> argparse.ArgumentParser:
    """Make a parser with the options of every benchmark; what has no rounds or no set time gets no option for it."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    if rounds:
        parser.add_argument("--rounds", type=int, default=rounds)
    if seconds:
        parser.add_argument("--seconds", type=float, default=seconds, help="of each measurement")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sample")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/reference/performance.md")
    return parser


def publish(block: str, how: str, tables: Iterable[str], samples: Sequence[Any], options: argparse.Namespace) -> None:
    """Print the report and put it where ``options`` say. Each sample is a dataclass with the field ``foreign``."""
    machine = facts([sample.foreign for sample in samples])
    method = f"`bench/{block}.py`{_rounds(options)}. {how}"
    where = "\n".join(f"- {name}: {value}" for name, value in machine.items())
    text = "\n\n".join((fill(method, 118, break_on_hyphens=False, break_long_words=False), *tables, where))
    print(text)
    if options.json:
        found = {"machine": machine, "samples": [asdict(sample) for sample in samples]}
        options.json.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    if options.write:
        _replace_block(block, text)


def _rounds(options: argparse.Namespace) -> str:
    if "rounds" not in options:
        return ""
    if "seconds" not in options:
        return f", {options.rounds} rounds in turns; medians" if options.rounds > 1 else ""
    return (
        f", {options.rounds} rounds of {options.seconds:g} s for each cell in turns; medians, and in brackets the "
        "range over the rounds"
    )


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay out a table; all columns but the first are figures."""
    lines = [header, ["---", *("--:" for _ in header[1:])], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def spread(values: Sequence[float], digits: int = 0) -> str:
    """Write a median with the range that it stands for."""
    if len(values) == 1:
        return f"{values[0]:.{digits}f}"
    return f"{median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def _replace_block(name: str, text: str) -> None:
    """Replace what stands between the marks ``<!-- NAME -->`` and ``<!-- /NAME -->`` of the document."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, found, rest = _DOCUMENT.read_text().partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise SystemExit(f"{_DOCUMENT} has no marks {begin} … {end}")
    _DOCUMENT.write_text(f"{before}{begin}\n{text}\n{end}{after}")
