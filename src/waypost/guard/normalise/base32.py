"""Islands of Base32 (RFC 4648)."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from waypost.guard.normalise.islands import decode_islands

__all__ = ["decode_base32"]

_ISLAND: Final = re.compile(r"[A-Z2-7](?<!\w.)[A-Z2-7]{15,}(?![A-Za-z0-9])={0,6}")


def decode_base32(text: str) -> str:
    """Decode the islands that hold text."""
    return decode_islands(_ISLAND, _decode, text)


def _decode(island: str) -> bytes | None:
    bare = island.rstrip("=")
    try:
        return base64.b32decode(bare + "=" * (-len(bare) % 8))
    except binascii.Error:
        return None
