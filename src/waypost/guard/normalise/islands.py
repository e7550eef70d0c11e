"""Encoded pieces within a text, decoded where they stand if that gives something to read."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

__all__ = ["decode_islands", "readable"]

_TORN: Final = 6
"""Bytes of the first and the last letter, which a line break may have cut."""


def decode_islands(pattern: re.Pattern[str], decode: Callable[[str], bytes | None], text: str) -> str:
    """Replace each match by what ``decode`` makes of it, where that is text."""
    return pattern.sub(lambda match: _decoded(match[0], decode), text)


def readable(data: bytes | None) -> str:
    """Return the bytes as text; empty when they are no UTF-8 or not mostly words."""
    if not data:
        return ""
    text = data.decode("utf-8", "ignore")
    if len(data) - len(text.encode()) > min(_TORN, len(data) // 8):
        return ""
    words = sum(letter.isalnum() or letter.isspace() for letter in text)
    mostly_words = words >= 0.7 * len(text) and sum(map(str.isalpha, text)) >= 0.4 * len(text)
    return text if mostly_words and sum(map(str.isprintable, text)) >= 0.9 * len(text) else ""


def _decoded(island: str, decode: Callable[[str], bytes | None]) -> str:
    return readable(decode(island)) or island
