"""Tells when the configuration file changed, also when it is a symlink that Kubernetes swaps."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from watchfiles import awatch

__all__ = ["changes"]


async def changes(path: Path) -> AsyncIterator[None]:
    """Yield once for each burst of changes beside ``path``; whether its content changed is for the reader to see.

    The directory is watched, not the file: editors replace files by renaming, ConfigMaps by swapping a symlink.
    """
    async for _ in awatch(path.parent, recursive=False, debounce=200, step=50):
        yield
