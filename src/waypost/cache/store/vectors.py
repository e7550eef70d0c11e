"""The vectors of one partition, side by side, searched by brute force.

Up to some 100,000 of them this is faster than an index and exact. Rows never move: a removed one is zero until another
takes its place.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Floats", "Vectors"]

Floats = NDArray[np.float32]

_SMALLEST: Final = 1
"""Rows to begin with: with every turn of a conversation comes a partition of its own."""


class Vectors:
    """Rows of single-precision vectors of length 1, each with a name."""

    def __init__(self, dimensions: int) -> None:
        self.rows: Floats = np.zeros((_SMALLEST, dimensions), np.float32)
        self._names: list[str | None] = [None]
        self._free = [0]

    def __len__(self) -> int:
        return len(self._names) - len(self._free)

    def add(self, name: str, vector: NDArray[np.floating]) -> int:
        """Take a vector in and return its row."""
        if not self._free:
            self._grow()
        row = self._free.pop()
        self.rows[row] = vector
        self._names[row] = name
        return row

    def remove(self, row: int) -> None:
        """Free a row."""
        self.rows[row] = 0
        self._names[row] = None
        self._free.append(row)

    def nearest(self, vector: Floats, rows: Floats, k: int) -> list[int]:
        """Find the ``k`` rows with the greatest cosines, in no order. Safe in a thread: ``rows`` is not replaced."""
        cosines = rows @ vector
        return list(range(len(cosines))) if k >= len(cosines) else np.argpartition(-cosines, k)[:k].tolist()

    def read(self, rows: list[int], vector: Floats) -> list[tuple[float, str]]:
        """Return cosine and name of each row as it is now, the greatest cosine first."""
        found = [(float(self.rows[row] @ vector), name) for row in rows if (name := self._names[row]) is not None]
        return sorted(found, reverse=True)

    def _grow(self) -> None:
        size = len(self._names)
        self.rows = np.concatenate([self.rows, np.zeros_like(self.rows)])
        self._names += [None] * size
        self._free = list(range(2 * size - 1, size - 1, -1))
