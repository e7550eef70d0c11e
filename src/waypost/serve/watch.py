"""Tells when the configuration file changed, also when it is a symlink that Kubernetes swaps."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

from watchfiles import awatch

__all__ = ["changes"]


async def changes(path: Path) -> AsyncIterator[None]:
    """Yield whenever the content of ``path`` is another than the last time.

    The directory is watched, not the file: editors replace files by renaming, ConfigMaps by swapping a symlink. So the
    content is compared: whatever else changes there, such as our own log, is nothing to reload for.
    """
    seen = _digest(path)
    async for _ in awatch(path.parent, recursive=False, debounce=200, step=50):
        if (now := _digest(path)) != seen:
            seen = now
            yield


def _digest(path: Path) -> str:
    """Hash the content; empty while there is no file, as in the middle of a replacement."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
