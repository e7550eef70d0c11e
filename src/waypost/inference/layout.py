"""Telling by its files what a directory holds; light enough for the configuration checker to import."""

from __future__ import annotations

from pathlib import Path
from typing import Final

__all__ = ["HEAD", "holds_head"]

HEAD: Final = "head.npz"
"""The weights of a head on the shared encoder's embedding, as ``waypost train domain`` writes them."""


def holds_head(model: str) -> bool:
    """Tell whether ``model`` is a directory with such a head rather than a whole model of its own."""
    return (Path(model).expanduser() / HEAD).is_file()
