"""The encoder that comes inside the package."""

from __future__ import annotations

from pathlib import Path

from waypost.inference.head import BUNDLED
from waypost.inference.manifest import MANIFEST

__all__ = ["shipped"]


def shipped() -> Path | None:
    """Return its directory; None where the package has no trained weights and the base encoder is prepared instead."""
    return BUNDLED if (BUNDLED / MANIFEST).is_file() else None
