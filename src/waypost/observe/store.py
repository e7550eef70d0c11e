"""Metrics of the cache's store: what it is asked, how long that takes, whether it fails, and how much it holds."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from waypost.cache.entry import Entry
from waypost.cache.store.base import Selector, Store, StoreStats

__all__ = ["StoreMetrics"]

_OPERATIONS: Final = ("find_exact", "find_similar", "add_entry", "invalidate", "stats")
_STATUSES: Final = ("success", "error", "cancelled")
_SECONDS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

_EVERY: Final = 15.0
"""Seconds between two counts of what a store holds."""
_REST: Final = 100
"""A count that took long is not repeated before so many times as long: some databases have to look at everything."""
_COUNT_SECONDS: Final = 5.0

T = TypeVar("T")


class StoreMetrics:
    """Counts under the name of the store's backend."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.operations = Counter(
            "llm_cache_operations",
            "What the cache's store was asked; 'cancelled' when it took too long or the client had left.",
            ["backend", "operation", "status"],
            registry=registry,
        )
        self.seconds = Histogram(
            "llm_cache_operation_duration_seconds",
            "Time that the cache's store took.",
            ["backend", "operation"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.entries = Gauge("waypost_cache_entries", "Answers in the cache's store.", ["backend"], registry=registry)
        self.bytes = Gauge(
            "waypost_cache_bytes", "Estimated size of the answers in the cache's store.", ["backend"], registry=registry
        )

    def measured(self, store: Store) -> Store:
        """Return the same store, counted from now on."""
        measured = _MeasuredStore(store, self)
        held = _Held(measured.stats)
        self.entries.labels(store.name).set_function(lambda: now.entries if (now := held.latest()) else math.nan)
        self.bytes.labels(store.name).set_function(lambda: now.bytes if (now := held.latest()) else math.nan)
        return measured


class _MeasuredStore:
    """Does everything as ``store`` does it."""

    def __init__(self, store: Store, metrics: StoreMetrics) -> None:
        self._store = store
        # Made now, so that rate() sees the first failure, and because a look-up takes longer than the memory does.
        self._operations = {
            (operation, status): metrics.operations.labels(store.name, operation, status)
            for operation in _OPERATIONS
            for status in _STATUSES
        }
        self._seconds = {operation: metrics.seconds.labels(store.name, operation) for operation in _OPERATIONS}

    @property
    def name(self) -> str:
        return self._store.name

    async def get_exact(self, exact: str) -> Entry | None:
        return await self._counted("find_exact", self._store.get_exact(exact))

    async def search(self, partition: str, vector: NDArray[np.floating], k: int) -> Sequence[tuple[float, Entry]]:
        return await self._counted("find_similar", self._store.search(partition, vector, k))

    async def put(self, entry: Entry) -> None:
        await self._counted("add_entry", self._store.put(entry))

    async def invalidate(self, selector: Selector) -> int:
        return await self._counted("invalidate", self._store.invalidate(selector))

    async def stats(self) -> StoreStats:
        return await self._counted("stats", self._store.stats())

    async def close(self) -> None:
        await self._store.close()

    async def _counted(self, operation: str, call: Awaitable[T]) -> T:
        started, status = time.perf_counter(), "error"
        try:
            result = await call
            status = "success"
        except asyncio.CancelledError:
            status = "cancelled"
            raise
        finally:
            self._operations[operation, status].inc()
            self._seconds[operation].observe(time.perf_counter() - started)
        return result


class _Held:
    """What a store held when it was last counted. Whoever looks never waits, but has it counted again for the next."""

    def __init__(self, count: Callable[[], Awaitable[StoreStats]], clock: Callable[[], float] = time.monotonic) -> None:
        self._count = count
        self._clock = clock
        self._known: StoreStats | None = None
        self._next = -math.inf
        self._counting: asyncio.Task[None] | None = None

    def latest(self) -> StoreStats | None:
        """None before the first count is over, and while the store does not let itself be counted."""
        if self._counting is None and self._clock() >= self._next:
            with contextlib.suppress(RuntimeError):  # outside of the event loop nothing can be asked
                self._counting = asyncio.get_running_loop().create_task(self._recount())
        return self._known

    async def _recount(self) -> None:
        started = self._clock()
        try:
            async with asyncio.timeout(_COUNT_SECONDS):
                self._known = await self._count()
        except Exception:  # noqa: BLE001  (the edge of a background task; counted as an operation that failed)
            self._known = None
        finally:
            now = self._clock()
            self._next = now + max(_EVERY, _REST * (now - started))
            self._counting = None
