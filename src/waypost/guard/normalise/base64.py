"""Islands of Base64 (RFC 4648), with the standard alphabet or that for URLs, padded or not."""

from __future__ import annotations

import binascii
import re
from typing import Final

from waypost.guard.normalise.islands import decode_islands

__all__ = ["decode_base64"]

_ISLAND: Final = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{11,}={0,2}")
# An upper-case letter or digit inside a word: rare in prose.
_GLANCE: Final = re.compile(r"[A-Z0-9](?<=[A-Za-z0-9+/_-].)[A-Za-z0-9+/_-]{5}")
_STANDARD: Final = str.maketrans("-_", "+/")


def decode_base64(text: str) -> str:
    """Decode the islands that hold text."""
    return decode_islands(_ISLAND, _decode, text) if _GLANCE.search(text) else text


def _decode(island: str) -> bytes | None:
    if island.islower() or island.isupper():
        return None
    bare = island.rstrip("=").translate(_STANDARD)
    try:
        return binascii.a2b_base64(bare + "=" * (-len(bare) % 4))
    except binascii.Error:
        return None
