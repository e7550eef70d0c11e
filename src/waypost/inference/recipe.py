"""How the bundled encoder is made. Anything here changes its vectors, so anything here changes its digest."""

from __future__ import annotations

import hashlib
import json
from typing import Final

__all__ = ["FEATURE_LAYERS", "OVERLAP", "POOLING", "PREFIX", "VERSION", "WINDOW", "recipe_digest"]

VERSION: Final = 1
"""Raised when code changes the vectors without changing a constant."""
PREFIX: Final = "query: "
FEATURE_LAYERS: Final[tuple[int, ...]] = (2, 4, 6, 8, 10, 12)
"""Heads read several depths: the last layer alone knows topics less well (by 6 points on exam questions)."""
POOLING: Final = "mean"
WINDOW: Final = 126
"""Tokens of one window, prefix included, the two special tokens not."""
OVERLAP: Final = 16
"""Tokens that neighbouring windows share."""


def recipe_digest(source_hashes: tuple[str, ...]) -> str:
    """Digest the recipe over these source files, as hexadecimal SHA-256."""
    parts = (VERSION, PREFIX, FEATURE_LAYERS, POOLING, WINDOW, OVERLAP, source_hashes)
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
