"""Files of labelled rows: JSONL, gzipped JSONL or CSV, read strictly, with the line in every complaint."""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from waypost.errors import DataError

__all__ = ["Row", "read_table"]

Row: TypeAlias = dict[str, Any]

_KINDS: Mapping[type, str] = {str: "text", int: "a number", list: "a list"}


def read_table(path: Path, fields: Mapping[str, type]) -> list[Row]:
    """Read all rows of ``path`` (``.jsonl``, ``.jsonl.gz``, ``.csv``), each with at least ``fields`` of these types.

    CSV has a line of column names, and text only. Raises DataError for a file that is missing, empty or malformed.
    """
    rows = []
    try:
        for line, row in _read(path):
            for field, kind in fields.items():
                if not isinstance(row.get(field), kind) or row[field] == "":
                    raise DataError(f"{path}:{line}: needs {field!r}, {_KINDS[kind]}")
            rows.append(row)
    except (OSError, EOFError, zlib.error, UnicodeError, csv.Error) as error:
        raise DataError(f"cannot read {path}: {error}") from error
    if not rows:
        raise DataError(f"{path} has no rows")
    return rows


def _read(path: Path) -> Iterator[tuple[int, Row]]:
    if path.suffix == ".csv":
        # A byte-order mark is what Excel puts before the first column's name.
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            for row in reader:
                yield reader.line_num, row
        return
    # Lines end with \n only: prompts hold U+2028 and U+0085, which str.splitlines would cut at.
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="\n") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield number, _object(path, number, line)


def _object(path: Path, number: int, line: str) -> Row:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise DataError(f"{path}:{number}: not JSON ({error})") from error
    if not isinstance(row, dict):
        raise DataError(f"{path}:{number}: not a JSON object")
    return row
