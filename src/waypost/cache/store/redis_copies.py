"""Copies of the vectors that lie in Redis, in this process, brought up to date before each search.

A copy says where to look, never what is there: what it names is fetched from Redis, and dropped here when Redis has
it no more. So a deletion by another process needs no message, and a copy that is behind costs a hit, never a wrong
answer.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, TypeAlias

import numpy as np

from waypost.cache.store.vectors import Floats, Vectors

__all__ = ["Copies", "Newer"]

_PAGE: Final = 500
"""Vectors a round trip: some 400 KB. A search that runs out of time leaves its pages to the next one."""
_INLINE: Final = 4_096
"""Rows that are compared in some half a millisecond; more are in a thread, so that the event loop goes on."""

_OVERHEAD: Final = 1_000
"""Bytes of a copy beside its vectors."""

Rows: TypeAlias = Sequence[bytes]
"""Digest, order and vector of each, one after the other."""
Newer: TypeAlias = Callable[[str, int, int, int], Awaitable[tuple[bool, Rows]]]
"""Partition, last order known, rows a page, rows in all -> whether to begin again, and what came since."""


class _Copy:
    """One partition's vectors, and the order of the newest."""

    counted = 0
    """Its size when it was last counted."""

    def __init__(self, dimensions: int, most: int) -> None:
        self.loading = asyncio.Lock()
        self.most = most
        self._dimensions = dimensions
        self.clear()

    @property
    def size(self) -> int:
        """Bytes, estimated."""
        return self.vectors.rows.nbytes + _OVERHEAD

    def clear(self) -> None:
        self.vectors = Vectors(self._dimensions)
        self._places: OrderedDict[str, int] = OrderedDict()
        self.last = 0

    def take(self, rows: Rows) -> None:
        for exact, order, vector in _threes(rows):
            self.drop([exact])
            if len(vector) == 2 * self._dimensions:
                self._places[exact] = self.vectors.add(exact, np.frombuffer(vector, "<f2"))
            self.last = order
        self.drop(list(islice(self._places, max(0, len(self._places) - self.most))))

    def drop(self, gone: Iterable[str]) -> None:
        for exact in gone:
            place = self._places.pop(exact, None)
            if place is not None:
                self.vectors.remove(place)


class Copies:
    """The partitions searched last, within a bound of bytes."""

    def __init__(self, newer: Newer, max_bytes: int) -> None:
        self._newer = newer
        self._max_bytes = max_bytes
        self._copies: OrderedDict[str, _Copy] = OrderedDict()
        self._bytes = 0

    async def nearest(self, partition: str, vector: Floats, k: int) -> list[tuple[float, str]]:
        """Return cosine and digest of the ``k`` nearest, the nearest first."""
        copy = self._copies.get(partition) or _Copy(len(vector), self._max_bytes // (2 * vector.nbytes) + 1)
        async with copy.loading:
            await self._load(partition, copy)
        vectors = copy.vectors
        if len(vectors.rows) <= _INLINE:
            rows = vectors.nearest(vector, vectors.rows, k)
        else:
            rows = await asyncio.to_thread(vectors.nearest, vector, vectors.rows, k)
        return vectors.read(rows, vector)

    def drop(self, partition: str, gone: Iterable[str]) -> None:
        """Forget what is no longer there."""
        if partition in self._copies:
            self._copies[partition].drop(gone)

    async def _load(self, partition: str, copy: _Copy) -> None:
        more = True
        while more:
            again, rows = await self._newer(partition, copy.last, _PAGE, copy.most)
            if again:
                copy.clear()
            copy.take(rows)
            self._keep(partition, copy)
            more = len(rows) == 3 * _PAGE

    def _keep(self, partition: str, copy: _Copy) -> None:
        self._forget(partition)
        if not copy.vectors:
            return
        copy.counted = copy.size
        self._copies[partition] = copy
        self._bytes += copy.counted
        while len(self._copies) > 1 and self._bytes > self._max_bytes:
            self._forget(next(iter(self._copies)))

    def _forget(self, partition: str) -> None:
        copy = self._copies.pop(partition, None)
        if copy is not None:
            self._bytes -= copy.counted


def _threes(rows: Rows) -> Iterator[tuple[str, int, bytes]]:
    for place in range(0, len(rows), 3):
        yield rows[place].decode(), int(rows[place + 1]), rows[place + 2]
