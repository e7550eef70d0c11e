"""Entries in a vector database: what Qdrant and Milvus share. Their drivers block, and so run in threads."""

from __future__ import annotations

import asyncio
import base64
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from waypost.cache.entry import Entry
from waypost.cache.store.base import Selector, StoreStats, StoreUnavailable
from waypost.cache.store.circuit import Circuit, Errors
from waypost.cache.store.labels import entry_labels, label, selector_labels

__all__ = ["Collection", "CollectionStore", "Listed", "Row"]

_THREADS: Final = 8
_WAITING: Final = 64
"""Calls in the threads' queue; those beyond would be too late anyway."""
_SWEEPS: Final = 64
"""Room is made once per so many parts of ``max_entries``, because it takes a look at every entry."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Row:
    """An entry as the database keeps it. All strings are short and made of letters and digits, but ``data``."""

    key: str
    partition: str
    """Empty without a vector; nothing is searched there."""
    labels: Mapping[str, str]
    """``decision``, ``owner``, ``question``."""
    expires: float
    size: int
    data: str
    vector: Sequence[float]
    """Length 1; any for an entry without one, because databases want one of each."""


@dataclass(frozen=True, slots=True, order=True)
class Listed:
    """What tells which entries go first."""

    expires: float
    key: str
    size: int


class Collection(Protocol):
    """One database behind its blocking driver. It is created when first asked; what asks it may raise its errors."""

    @property
    def down(self) -> Errors:
        """Errors that tell that the server cannot be reached."""
        ...

    @property
    def refused(self) -> Errors:
        """Errors that the server answers with."""
        ...

    @property
    def embedded(self) -> bool:
        """Whether it is in this process, where one thread at a time may use it."""
        ...

    @property
    def dimensions(self) -> int:
        """Of every vector."""
        ...

    def open(self) -> None:
        """Connect now, and create the collection where there is none."""
        ...

    def gone(self, error: Exception) -> bool:
        """Tell whether ``error`` says that the collection is no longer there."""
        ...

    def forget(self) -> None:
        """Look for the collection again when next asked, and create it where there is none."""
        ...

    def get(self, key: str) -> str | None:
        """Return the data of a row."""
        ...

    def nearest(self, partition: str, vector: Sequence[float], k: int, now: float) -> Sequence[tuple[float, str]]:
        """Return cosine and data of the ``k`` nearest of ``partition`` that end after ``now``, the nearest first."""
        ...

    def put(self, row: Row) -> None:
        """Keep a row in place of one with its key."""
        ...

    def listed(self, labels: Mapping[str, str]) -> Sequence[Listed]:
        """List the rows that have all of these labels."""
        ...

    def delete(self, keys: Sequence[str]) -> None:
        """Drop rows."""
        ...

    def close(self) -> None:
        """Let go of the connection, or of the files."""
        ...


class CollectionStore:
    """What would expire first goes first. The bounds may be exceeded by 1/64 for each router that shares the server."""

    def __init__(
        self,
        name: str,
        collection: Collection,
        *,
        max_entries: int,
        max_bytes: int,
        timeout: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``timeout`` of one call in seconds. Opens nothing: a server may be down when the router starts."""
        self._name = name
        self._collection = collection
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._clock = clock
        self._circuit = Circuit(down=collection.down, refused=collection.refused, timeout=timeout)
        self._threads = ThreadPoolExecutor(1 if collection.embedded else _THREADS, f"waypost-{name}")
        self._waiting = 0
        self._until_sweep = 0
        self._evicted = self._expired = 0

    @property
    def name(self) -> str:
        """``qdrant`` or ``milvus``."""
        return self._name

    async def get_exact(self, exact: str) -> Entry | None:
        """Return the answer to the identical request."""
        data = await self._call(lambda: self._collection.get(label(exact)))
        entry = None if data is None else _unpack(data)
        return entry if entry is not None and entry.exact == exact and entry.expires > self._clock() else None

    async def search(self, partition: str, vector: NDArray[np.floating], k: int) -> Sequence[tuple[float, Entry]]:
        """Let the database compare with the partition's questions."""
        if not partition or len(vector) != self._collection.dimensions:
            return []
        asked, now = np.asarray(vector, np.float32).tolist(), self._clock()
        rows = await self._call(lambda: self._collection.nearest(label(partition), asked, k, now))
        found = ((cosine, _unpack(data)) for cosine, data in rows)
        return [
            (cosine, entry)
            for cosine, entry in found
            if entry is not None and entry.partition == partition and entry.expires > now
        ]

    async def put(self, entry: Entry) -> None:
        """Keep ``entry`` unless it alone is larger than all there is room for."""
        if entry.size <= self._max_bytes:
            await self._call(lambda: self._put(entry))

    async def invalidate(self, selector: Selector) -> int:
        """Drop the entries that are meant, for every router."""
        return await self._call(lambda: self._drop(self._collection.listed(selector_labels(selector))))

    async def stats(self) -> StoreStats:
        """Count what is there, looking at all; what this router dropped."""
        rows = await self._call(lambda: self._collection.listed({}))
        return StoreStats(len(rows), sum(row.size for row in rows), self._evicted, self._expired)

    async def close(self) -> None:
        """Let go of the connection; what is in the database stays."""
        self._threads.submit(self._collection.close)
        await asyncio.to_thread(self._threads.shutdown)

    def _put(self, entry: Entry) -> None:
        if entry.vector is not None and len(entry.vector) != self._collection.dimensions:
            return
        self._collection.put(self._row(entry))
        self._until_sweep -= 1
        if self._until_sweep < 0:
            self._until_sweep = self._max_entries // _SWEEPS
            self._sweep()

    def _row(self, entry: Entry) -> Row:
        vector = entry.vector
        nowhere = [1.0] + [0.0] * (self._collection.dimensions - 1)
        return Row(
            key=label(entry.exact),
            partition="" if vector is None else label(entry.partition),
            labels=entry_labels(entry),
            expires=entry.expires,
            size=entry.size,
            data=base64.b64encode(zlib.compress(entry.without_vector().dump(), 1)).decode(),
            vector=nowhere if vector is None else vector.astype(np.float32).tolist(),
        )

    def _sweep(self) -> None:
        """Drop what has expired, then what would expire first, until the rest is within the bounds."""
        rows = sorted(self._collection.listed({}))
        now, size, gone = self._clock(), sum(row.size for row in rows), 0
        expired = sum(row.expires <= now for row in rows)
        for row in rows:
            if gone >= expired and len(rows) - gone <= self._max_entries and size <= self._max_bytes:
                break
            gone += 1
            size -= row.size
        self._drop(rows[:gone])
        self._expired += expired
        self._evicted += gone - expired

    def _drop(self, rows: Sequence[Listed]) -> int:
        if rows:
            self._collection.delete([row.key for row in rows])
        return len(rows)

    async def _call(self, work: Callable[[], T]) -> T:
        """Run ``work`` in a thread; who stops waiting for it does not stop it."""
        if self._waiting >= _WAITING:
            raise StoreUnavailable("too many calls to the cache's server wait")
        self._waiting += 1
        try:
            async with self._circuit.call():
                return await asyncio.wrap_future(self._threads.submit(self._do, work))
        finally:
            self._waiting -= 1

    def _do(self, work: Callable[[], T]) -> T:
        """Do ``work``; where the collection was dropped behind our back, create it and do it again."""
        try:
            return work()
        except Exception as error:
            if not self._collection.gone(error):
                raise
        self._collection.forget()
        return work()


def _unpack(data: str) -> Entry | None:
    """Read a row's data; None when it is none of ours or of another version."""
    try:
        return Entry.parse(zlib.decompress(base64.b64decode(data)))
    except (ValueError, zlib.error):
        return None
