from dataclasses import replace

import numpy as np
import pytest

from waypost.cache.entry import Entry
from waypost.cache.store import memory
from waypost.cache.store.base import Selector
from waypost.cache.store.memory import MemoryStore


def entry(exact, size=100, partition="p", vector=(1, 0)):
    stored = None if vector is None else np.array(vector, np.float16)
    return Entry(exact, partition, "q", b"x" * size, "chat", 0.0, 1e12, "d", "m", "o", stored)


async def kept(store, names):
    return [name for name in names if await store.get_exact(name)]


async def test_what_was_used_longest_ago_goes_first():
    gone = []
    store = MemoryStore(max_entries=3, max_bytes=10**6, dropped=gone.append)
    for name in "abc":
        await store.put(entry(name))
    await store.get_exact("a")
    await store.put(entry("d"))
    await store.put(entry("e"))
    assert gone == ["b", "c"]
    assert await kept(store, "abcde") == ["a", "d", "e"]
    assert (await store.stats()).evicted == 2


async def test_being_found_is_being_used_but_being_looked_at_is_not():
    store = MemoryStore(max_entries=2, max_bytes=10**6)
    await store.put(entry("best", vector=(1, 0)))
    await store.put(entry("other", vector=(0, 1)))
    await store.search("p", np.array([1, 0]), 2)
    await store.put(entry("new", vector=(0, 1)))
    assert await kept(store, ("best", "other", "new")) == ["best", "new"]


async def test_bytes_are_bounded():
    store = MemoryStore(max_entries=100, max_bytes=10_000)
    for name in "abcdefgh":
        await store.put(entry(name, size=2000))
        assert (await store.stats()).bytes <= 10_000
    assert await kept(store, "abcdefgh") == ["f", "g", "h"]


async def test_what_is_too_large_is_not_kept_and_drives_nobody_out():
    store = MemoryStore(max_entries=100, max_bytes=10_000)
    await store.put(entry("a"))
    await store.put(entry("b", size=20_000))
    assert await kept(store, "ab") == ["a"]


@pytest.mark.parametrize("partition", ["same", "own"])
async def test_bytes_are_given_back(partition):
    store = MemoryStore(max_entries=10, max_bytes=10**6)
    for number in range(50):
        await store.put(entry(str(number), partition=partition if partition == "same" else str(number)))
    await store.invalidate(Selector())
    stats = await store.stats()
    assert (stats.entries, stats.bytes) == (0, 0)
    assert store._partitions == {}


async def test_many_rows_are_searched_in_a_thread(monkeypatch):
    monkeypatch.setattr(memory, "_INLINE", 4)
    store = MemoryStore(max_entries=100, max_bytes=10**6)
    angles = np.linspace(0, 1.5, 20)
    for number, angle in enumerate(angles):
        await store.put(entry(str(number), vector=(np.cos(angle), np.sin(angle))))
    found = await store.search("p", np.array([1, 0], np.float32), 3)
    assert [one.exact for _, one in found] == ["0", "1", "2"]


async def test_a_row_that_changes_hands_during_a_search_is_read_again(monkeypatch):
    monkeypatch.setattr(memory, "_INLINE", 0)
    store = MemoryStore(max_entries=100, max_bytes=10**6)
    await store.put(entry("a", vector=(1, 0)))

    async def meanwhile(search, *arguments):
        rows = search(*arguments)
        await store.invalidate(Selector())
        await store.put(replace(entry("b"), vector=np.array([0, 1], np.float16)))
        return rows

    monkeypatch.setattr(memory.asyncio, "to_thread", meanwhile)
    monkeypatch.setattr(store, "_partitions", store._partitions)
    found = await store.search("p", np.array([1, 0], np.float32), 3)
    assert [(one.exact, cosine) for cosine, one in found] in ([], [("b", 0.0)])
