"""JSON out: compact, readable, and always encodable as UTF-8."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

__all__ = ["Written", "encodable", "to_json"]

_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Written:
    """JSON that was read as text and goes out as that very text."""

    text: str


def encodable(text: str) -> str:
    """Put U+FFFD for each lone surrogate: its escape is legal JSON, but no tokenizer takes it."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def to_json(value: object) -> str:
    """Write ``value`` as compact JSON, :class:`Written` as it is.

    Raises TypeError or ValueError for what JSON cannot say (NaN, a set).
    """
    if isinstance(value, Written):
        return value.text
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # A surrogate can only stand inside a string, where its escape means the same.
    return text if text.isascii() else _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
