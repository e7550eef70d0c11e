"""Rows of the operator's own, beside those of the data directory: a text and whatever is known of it.

``label`` is one of the domains, ``attack`` benign, jailbreak or harmful, ``spans`` a list of ``[start, end, TYPE]`` in
characters, the end exclusive, empty where there is no personal data. A CSV can hold the first two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from waypost.errors import DataError
from waypost.learn.bio import Span
from waypost.learn.labels import ATTACKS, DOMAINS, PII_TYPES
from waypost.learn.rows import Row
from waypost.learn.tables import read_table

__all__ = ["extra_rows"]


def extra_rows(path: Path) -> list[Row]:
    """Read ``path``. Raises DataError for a label that is none of ours, or a row that says nothing of its text."""
    return [_row(path, number, row) for number, row in enumerate(read_table(path, {"text": str}), 1)]


def _row(path: Path, number: int, row: Mapping[str, Any]) -> Row:
    where = f"{path}, row {number}"
    domain, attack = _choice(where, row, "label", DOMAINS), _choice(where, row, "attack", ATTACKS)
    spans = _spans(where, row)
    if domain is None and attack is None and spans is None:
        raise DataError(f"{where}: needs label, attack or spans")
    indirect = bool(row["indirect"]) if isinstance(row.get("indirect"), bool) else None
    return Row(row["text"], str(row.get("source") or path.name), domain, attack, indirect, spans)


def _choice(where: str, row: Mapping[str, Any], field: str, known: Sequence[str]) -> str | None:
    value = row.get(field) or None
    if value is not None and value not in known:
        raise DataError(f"{where}: {field} {value!r} is none of {', '.join(known)}")
    return value


def _spans(where: str, row: Mapping[str, Any]) -> tuple[Span, ...] | None:
    spans = row.get("spans")
    if spans is None:
        return None
    if not isinstance(spans, list) or not all(_is_span(span, len(row["text"])) for span in spans):
        raise DataError(f"{where}: spans are [start, end, TYPE] within the text, of {', '.join(PII_TYPES)}")
    return tuple((start, end, kind) for start, end, kind in spans)


def _is_span(span: object, length: int) -> bool:
    match span:
        case [int(start), int(end), str(kind)]:
            return 0 <= start < end <= length and kind in PII_TYPES
    return False
