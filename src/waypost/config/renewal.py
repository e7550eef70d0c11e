"""Files that are replaced while they are in use, as rotated secrets and certificates are."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

__all__ = ["Renewal"]

_EVERY: Final = 1.0
"""Seconds between two looks."""


class Renewal:
    """Notices changes of ``paths`` since it was made; for links, of what they lead to."""

    def __init__(self, *paths: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._paths = paths
        self._clock = clock
        self._seen = self._stamps()
        self._looked = clock()

    def due(self) -> bool:
        """Tell, once for each change, that there was one. Looks once a second at most: it is asked at every request."""
        if self._clock() - self._looked < _EVERY:
            return False
        self._looked = self._clock()
        before, self._seen = self._seen, self._stamps()
        return self._seen != before

    def _stamps(self) -> tuple[tuple[int, int, int] | None, ...]:
        return tuple(_stamp(path) for path in self._paths)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
