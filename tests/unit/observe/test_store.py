"""A store that is counted does what it did before, and tells what it was asked and what it holds."""

from __future__ import annotations

import asyncio
import math

import numpy as np
import pytest

from waypost.cache.entry import Entry
from waypost.cache.store.base import Selector, StoreStats, StoreUnavailable
from waypost.cache.store.memory import MemoryStore
from waypost.observe.metrics import Metrics
from waypost.observe.store import _Held

VECTOR = np.array([1, 0], np.float16)


def entry(name: str = "a") -> Entry:
    facts = {"partition": "p", "question": "q", "body": b"{}", "wire": "chat", "created": 0.0, "ttl": 9e9}
    return Entry(name, **facts, decision="d", model="m", owner="", vector=VECTOR)


class Down(MemoryStore):
    """Answers nothing, or never."""

    never = False

    async def get_exact(self, exact: str) -> Entry | None:
        if self.never:
            await asyncio.Event().wait()
        raise StoreUnavailable("down")

    async def stats(self) -> StoreStats:
        raise StoreUnavailable("down")


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def counted(metrics):
    def counted(operation: str, status: str) -> float | None:
        labels = {"backend": "memory", "operation": operation, "status": status}
        return metrics.registry.get_sample_value("llm_cache_operations_total", labels)

    return counted


def held(metrics: Metrics) -> tuple[float | None, float | None]:
    labels = {"backend": "memory"}
    names = ("waypost_cache_entries", "waypost_cache_bytes")
    entries, size = (metrics.registry.get_sample_value(name, labels) for name in names)
    return entries, size


async def test_it_does_what_the_store_does_and_counts_it(metrics, counted):
    store = metrics.store.measured(MemoryStore(max_entries=9, max_bytes=2**20))
    await store.put(entry())
    assert await store.get_exact("b") is None
    assert (await store.get_exact("a")).body == b"{}"
    assert [found.exact for _, found in await store.search("p", VECTOR, 3)] == ["a"]
    assert (await store.stats()).entries == 1
    assert await store.invalidate(Selector(decision="d")) == 1
    assert store.name == "memory"
    counts = {"add_entry": 1, "find_exact": 2, "find_similar": 1, "stats": 1, "invalidate": 1}
    for operation, count in counts.items():
        assert (counted(operation, "success"), counted(operation, "error")) == (count, 0)
        labels = {"backend": "memory", "operation": operation}
        assert metrics.registry.get_sample_value("llm_cache_operation_duration_seconds_count", labels) == count
    await store.close()


async def test_a_failure_and_a_store_that_is_too_slow_are_told_apart(metrics, counted):
    down = Down(max_entries=9, max_bytes=2**20)
    store = metrics.store.measured(down)
    with pytest.raises(StoreUnavailable):
        await store.get_exact("a")
    down.never = True
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await store.get_exact("a")
    assert (counted("find_exact", "error"), counted("find_exact", "cancelled")) == (1, 1)


async def test_who_reads_the_metrics_does_not_wait_for_the_count(metrics):
    store = metrics.store.measured(MemoryStore(max_entries=9, max_bytes=2**20))
    await store.put(entry())
    assert all(map(math.isnan, held(metrics)))
    while math.isnan(held(metrics)[0]):
        await asyncio.sleep(0)
    assert held(metrics) == (1, (await store.stats()).bytes)


async def test_what_was_held_before_a_failure_is_not_told_after_it():
    now, known = [0.0], [StoreStats(1, 1)]

    async def count() -> StoreStats:
        return known.pop()

    found = _Held(count, lambda: now[0])
    for told in (StoreStats(1, 1), None):
        found.latest()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert found.latest() == told
        now[0] += 60


async def test_a_store_that_is_down_says_nothing_new(metrics, counted):
    metrics.store.measured(Down(max_entries=9, max_bytes=2**20))
    held(metrics)
    while not counted("stats", "error"):
        await asyncio.sleep(0)
    assert all(map(math.isnan, held(metrics)))


def test_metrics_may_be_read_outside_of_the_event_loop(metrics):
    metrics.store.measured(MemoryStore(max_entries=9, max_bytes=2**20))
    assert all(map(math.isnan, held(metrics)))


@pytest.mark.parametrize(("takes", "rests"), [(0.0, 15), (0.5, 50)])
async def test_a_slow_count_is_seldom(takes, rests):
    now, counts = [0.0], []

    async def count() -> StoreStats:
        now[0] += takes
        counts.append(now[0])
        return StoreStats(len(counts), 0)

    async def look(at: float) -> int:
        now[0] = at
        found.latest()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return len(counts)

    found = _Held(count, lambda: now[0])
    assert await look(0.0) == 1
    assert await look(takes + rests - 0.1) == 1
    assert await look(takes + rests) == 2
