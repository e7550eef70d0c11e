"""Percent-encoding of URLs (RFC 3986)."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_plus

__all__ = ["unquote"]

_GLANCE: Final = re.compile(r"%[0-9A-Fa-f]{2}[A-Za-z0-9._~+-]*%[0-9A-Fa-f]{2}")
_ENCODED: Final = re.compile(r"[A-Za-z0-9._~+-]*(?:%[0-9A-Fa-f]{2}[A-Za-z0-9._~+-]*){2,}")


def unquote(text: str) -> str:
    """Decode what holds two escapes or more, where the outcome reads as text."""
    return _ENCODED.sub(_decoded, text) if _GLANCE.search(text) else text


def _decoded(match: re.Match[str]) -> str:
    found = unquote_plus(match[0], errors="replace")
    letters = sum(letter.isalpha() or letter.isspace() for letter in found)
    return found if "\ufffd" not in found and letters > 0.7 * len(found) else match[0]
