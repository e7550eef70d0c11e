"""Entries in this process's memory."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from waypost.cache.entry import Entry
from waypost.cache.store.base import Selector, StoreStats
from waypost.cache.store.vectors import Vectors

__all__ = ["MemoryStore"]

_INLINE: Final = 4_096
"""Rows that are compared in some half a millisecond; more are in a thread, so that the event loop goes on."""
_SOME_EXPIRED: Final = 4
"""A search looks for so many times the entries asked for, because some of them may have expired."""


@dataclass(slots=True)
class _Kept:
    entry: Entry
    row: int | None
    """Its place in its partition's vectors."""
    size: int


class MemoryStore:
    """Least recently used first out, within bounds on entries and bytes; expired entries go when they are met."""

    name: Final = "memory"

    def __init__(
        self,
        *,
        max_entries: int,
        max_bytes: int,
        clock: Callable[[], float] = time.time,
        dropped: Callable[[str], object] = str,
    ) -> None:
        """``dropped`` is told the digest of each entry that goes; without it nobody is."""
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._clock = clock
        self._dropped = dropped
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._partitions: dict[str, Vectors] = {}
        self._bytes = self._evicted = self._expired = 0

    async def get_exact(self, exact: str) -> Entry | None:
        """Return the answer to the identical request."""
        entry = self._fresh(exact)
        if entry is not None:
            self._kept.move_to_end(exact)
        return entry

    async def search(self, partition: str, vector: NDArray[np.floating], k: int) -> Sequence[tuple[float, Entry]]:
        """Compare with all of the partition's questions, in a thread when they are many."""
        vectors = self._partitions.get(partition)
        if vectors is None:
            return []
        wanted = np.asarray(vector, np.float32)
        if len(vectors.rows) <= _INLINE:
            rows = vectors.nearest(wanted, vectors.rows, k * _SOME_EXPIRED)
        else:
            rows = await asyncio.to_thread(vectors.nearest, wanted, vectors.rows, k * _SOME_EXPIRED)
        # Rows may have changed hands meanwhile, so cosines and names are read again together.
        found = vectors.read(rows, wanted)
        entries = ((cosine, self._fresh(exact)) for cosine, exact in found)
        best = [(cosine, entry) for cosine, entry in entries if entry is not None][:k]
        for _, entry in best[:1]:  # the others were only looked at
            self._kept.move_to_end(entry.exact)
        return best

    async def put(self, entry: Entry) -> None:
        """Keep ``entry`` unless it alone is larger than all there is room for."""
        self.keep(entry)

    def keep(self, entry: Entry) -> bool:
        """Keep ``entry``; False when it is too large."""
        self._drop(entry.exact)
        if entry.size > self._max_bytes:
            return False
        row = None
        if entry.vector is not None:
            vectors = self._partitions.setdefault(entry.partition, Vectors(len(entry.vector)))
            row = vectors.add(entry.exact, entry.vector)
        self._kept[entry.exact] = _Kept(entry.without_vector(), row, entry.size)
        self._bytes += entry.size
        while len(self._kept) > self._max_entries or self._bytes > self._max_bytes:
            self._drop(next(iter(self._kept)))
            self._evicted += 1
        return True

    async def invalidate(self, selector: Selector) -> int:
        """Drop the entries that are meant; looks at all."""
        meant = [exact for exact, kept in self._kept.items() if selector.holds(kept.entry)]
        for exact in meant:
            self._drop(exact)
        return len(meant)

    async def stats(self) -> StoreStats:
        """Count, expired entries that nobody met included."""
        return StoreStats(len(self._kept), self._bytes, self._evicted, self._expired)

    async def close(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self._partitions.clear()
        self._bytes = 0

    def _fresh(self, exact: str) -> Entry | None:
        kept = self._kept.get(exact)
        if kept is None:
            return None
        if kept.entry.expires <= self._clock():
            self._drop(exact)
            self._expired += 1
            return None
        return kept.entry

    def _drop(self, exact: str) -> None:
        kept = self._kept.pop(exact, None)
        if kept is None:
            return
        self._bytes -= kept.size
        if kept.row is not None:
            vectors = self._partitions[kept.entry.partition]
            vectors.remove(kept.row)
            if not vectors:
                del self._partitions[kept.entry.partition]
        self._dropped(exact)
