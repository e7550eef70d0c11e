"""Islands of bytes as hexadecimal digits: ``69676e6f7265``, ``69 67 6e``, ``0x69 0x67``."""

from __future__ import annotations

import re
from typing import Final

from waypost.guard.normalise.islands import decode_islands

__all__ = ["decode_hexadecimal"]

_ISLAND: Final = re.compile(
    r"(?<![0-9A-Za-z])(?:0x)?[2-7ce][0-9a-f](?:[ :,-]{0,2}(?:0x)?[0-9a-f]{2}){5,}(?![0-9a-z])", re.IGNORECASE
)
_GLANCE: Final = re.compile(r"[0-9][0-9a-fA-F][ :,-]{0,2}(?:0x)?[0-9a-fA-F]{2}")
_NO_DIGIT: Final = re.compile(r"0x|[^0-9a-f]", re.IGNORECASE)


def decode_hexadecimal(text: str) -> str:
    """Decode the islands that hold text."""
    return decode_islands(_ISLAND, _decode, text) if _GLANCE.search(text) else text


def _decode(island: str) -> bytes | None:
    digits = _NO_DIGIT.sub("", island)
    return None if len(digits) % 2 else bytes.fromhex(digits)
