import asyncio
import logging
import shutil
import sqlite3
import stat

import numpy as np
import pytest

from waypost.cache.entry import Entry
from waypost.cache.store.base import Selector
from waypost.cache.store.sqlite import SqliteStore
from waypost.errors import SetupError


def entry(exact, created=0.0, ttl=100.0):
    return Entry(exact, "p", "q", exact.encode(), "chat", created, ttl, "d", "m", "o", np.array([0.6, 0.8], np.float16))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cache.sqlite"


@pytest.fixture
def opened(path):
    def opened(now=1.0, max_entries=10):
        return SqliteStore(path, max_entries=max_entries, max_bytes=10**6, clock=lambda: now)

    return opened


async def names(store):
    return [name for name in "abcdef" if await store.get_exact(name)]


async def test_survives_a_restart(opened):
    store = opened()
    for name in "abc":
        await store.put(entry(name))
    await store.put(entry("b"))
    await store.invalidate(Selector(question="other"))
    await store.close()
    again = opened()
    assert await names(again) == ["a", "b", "c"]
    found = await again.search("p", np.array([0.6, 0.8]), 5)
    assert len(found) == 3
    assert found[0][0] == pytest.approx(1, abs=1e-3)
    await again.close()


async def test_what_was_dropped_stays_dropped(opened):
    store = opened(max_entries=3)
    for number, name in enumerate("abcd"):
        await store.put(entry(name, created=number))
    await store.close()
    store = opened()
    assert await names(store) == ["b", "c", "d"]
    assert await store.invalidate(Selector()) == 3
    await store.close()
    store = opened()
    assert await names(store) == []
    await store.close()


async def test_what_expired_meanwhile_is_not_restored(opened, path):
    store = opened()
    await store.put(entry("a", ttl=10))
    await store.put(entry("b", ttl=100))
    await store.close()
    store = opened(now=50.0)
    assert await names(store) == ["b"]
    await store.close()
    assert _exacts(path) == ["b"]


async def test_a_smaller_bound_keeps_the_newest(opened):
    store = opened()
    for number, name in enumerate("abcd"):
        await store.put(entry(name, created=number))
    await store.close()
    store = opened(max_entries=2)
    assert await names(store) == ["c", "d"]
    await store.close()


@pytest.mark.parametrize("damage", ["text", "middle", "version"])
async def test_a_damaged_file_is_moved_aside(opened, path, damage, caplog):
    store = opened()
    await store.put(entry("a"))
    await store.close()
    if damage == "text":
        path.write_text("this is no database, but a text that somebody put here " * 99)
    elif damage == "middle":
        data = bytearray(path.read_bytes())
        data[100:] = b"\xff" * (len(data) - 100)
        path.write_bytes(data)
    else:
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA user_version = 99")
        connection.close()
    with caplog.at_level(logging.WARNING):
        store = opened()
    assert await names(store) == []
    assert f"moved to {path}.damaged" in caplog.text
    await store.put(entry("b"))
    await store.close()
    store = opened()
    assert await names(store) == ["b"]
    await store.close()


async def test_an_unreadable_entry_is_dropped_alone(opened, path, caplog):
    store = opened()
    await store.put(entry("a"))
    await store.put(entry("b"))
    await store.close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE entries SET data = x'00' WHERE exact = 'a'")
    connection.close()
    store = opened()
    assert await names(store) == ["b"]
    await store.close()
    assert _exacts(path) == ["b"]
    assert "unreadable" in caplog.text


async def test_a_file_that_cannot_be_written_any_more_leaves_the_memory(opened, path, caplog):
    store = opened()
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE entries")
    connection.close()
    await store.put(entry("a"))
    await store.put(entry("b"))
    assert await names(store) == ["a", "b"]
    await store.close()
    assert "goes on in memory" in caplog.text


async def test_a_file_that_can_be_written_again_holds_only_what_came_since(opened, path):
    store = opened()
    await store.put(entry("a"))
    await store.close()
    store = opened()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("ALTER TABLE entries RENAME TO away")
    await store.put(entry("b"))
    await store.put(entry("c"))
    await store.invalidate(Selector(question="q"))
    await store.put(entry("d"))
    await _written(store)
    connection.execute("ALTER TABLE away RENAME TO entries")
    connection.close()
    await store.close()
    assert _exacts(path) == ["d"]


@pytest.mark.parametrize("leftovers", [("-wal", "-shm"), ()])
async def test_a_file_that_was_removed_begins_anew(opened, path, leftovers, caplog):
    store = opened()
    await store.put(entry("a"))
    await _written(store)
    path.unlink()
    for leftover in leftovers:
        path.with_name(path.name + leftover).unlink()
    await store.put(entry("b"))
    await store.put(entry("c"))
    await store.invalidate(Selector(question="q"))
    await store.put(entry("d"))
    assert await names(store) == ["d"]
    await store.close()
    assert _exacts(path) == ["d"]
    assert "it was removed" in caplog.text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_file_whose_directory_was_removed_leaves_the_memory(tmp_path):
    (tmp_path / "gone").mkdir()
    path = tmp_path / "gone" / "cache.sqlite"
    store = SqliteStore(path, max_entries=10, max_bytes=10**6, clock=lambda: 1.0)
    shutil.rmtree(path.parent)
    await store.put(entry("a"))
    assert await names(store) == ["a"]
    await store.close()
    assert not path.exists()


async def test_an_entry_that_cannot_be_written_stops_no_other(opened, path):
    store = opened()
    odd = entry("a")
    object.__setattr__(odd, "model", b"no text")
    await store.put(odd)
    await _written(store)
    await store.put(entry("b"))
    assert await names(store) == ["a", "b"]
    await store.invalidate(Selector())
    await store.put(entry("c"))
    await store.close()
    assert _exacts(path) == ["c"]


def test_a_place_that_cannot_be_written_is_said_at_the_start(tmp_path):
    with pytest.raises(SetupError, match="cannot write the cache file"):
        SqliteStore(tmp_path / "absent" / "cache.sqlite", max_entries=1, max_bytes=1)
    with pytest.raises(SetupError, match="cannot write the cache file"):
        SqliteStore(tmp_path, max_entries=1, max_bytes=1)


async def test_nobody_else_may_read_the_file(opened, path):
    store = opened()
    await store.put(entry("a"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    await store.close()


async def _written(store):
    while not store._writes.empty():
        await asyncio.sleep(0)


def _exacts(path):
    connection = sqlite3.connect(path)
    found = [exact for (exact,) in connection.execute("SELECT exact FROM entries ORDER BY exact")]
    connection.close()
    return found
