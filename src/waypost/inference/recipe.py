"""How the encoder reads a text. Anything here changes its vectors, so anything here changes its digest."""

from __future__ import annotations

from typing import Final

__all__ = ["OVERLAP", "POOLING", "PREFIX", "WINDOW"]

PREFIX: Final = "query: "
POOLING: Final = "mean"
WINDOW: Final = 126
"""Tokens of one window, prefix included, the two special tokens not."""
OVERLAP: Final = 16
"""Tokens that neighbouring windows share."""
