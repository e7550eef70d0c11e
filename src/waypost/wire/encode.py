"""JSON out: compact, readable, and always encodable as UTF-8."""

from __future__ import annotations

import json
import re

__all__ = ["encodable", "to_json"]

_SURROGATE = re.compile("[\ud800-\udfff]")


def encodable(text: str) -> str:
    """Put U+FFFD for each lone surrogate: its escape is legal JSON, but no tokenizer takes it."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def to_json(value: object) -> str:
    """Write ``value`` as compact JSON. Raises TypeError or ValueError for what JSON cannot say (NaN, a set)."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # A surrogate can only stand inside a string, where its escape means the same.
    return text if text.isascii() else _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
