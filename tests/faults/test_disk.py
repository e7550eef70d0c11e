"""The disk is full, and has room again: told to the router as a limit on the size of its files."""

from __future__ import annotations

import contextlib
import json
import resource
import signal
import sqlite3
import sys

import pytest
import pytest_asyncio

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(sys.platform != "linux", reason="needs prlimit(2)"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def router(serve, echo, settings, tmp_path_factory):
    directory = tmp_path_factory.mktemp("disk")
    cache = {"scope": "user", "path": str(directory / "cache.sqlite")}
    observability = {"records": {"path": str(directory / "records.jsonl")}}
    return await serve(settings(await echo(), cache=cache, observability=observability)), directory


@contextlib.contextmanager
def full_disk(pid: int, size: int = 0):
    """No byte goes into any file beyond so many."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


async def test_records_and_the_cache_file_do_without(router, load):
    running, directory = router
    records = directory / "records.jsonl"
    async with load(running.url) as users:
        users.forget()
        while not records.exists() or not records.stat().st_size:
            await users.since()
        with full_disk(running.pid, records.stat().st_size + 100):  # room for a part of a line
            while not await running.metric("waypost_observer_lost_total"):
                await users.since()
        with full_disk(running.pid):
            await running.says("the cache goes on in memory")
        size = records.stat().st_size
        await running.says("can be written again")
        while records.stat().st_size < size + 4096:
            await users.since()
        assert users.failures == set()
    for line in records.read_bytes().splitlines(keepends=True):
        assert line.endswith(b"\n")
        assert json.loads(line)
    with contextlib.closing(sqlite3.connect(directory / "cache.sqlite")) as connection:
        assert connection.execute("SELECT count(*) FROM entries").fetchone()[0] > 0
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_a_reload_that_cannot_be_written_is_refused(router, load):
    running, _ = router
    running.said.clear()
    families = {"new": {"type": "reasoning_effort", "parameter": "effort"}}
    server = {"endpoints": running.config["models"]["echo"]["endpoints"], "pii": {"allow": []}}
    more = running.config["models"] | {"other": server}
    async with load(running.url) as users:
        users.forget()
        with full_disk(running.pid):
            running.path.write_text(json.dumps(running.config | {"models": more, "reasoning_families": families}))
            await running.says("reload refused, the old configuration stays")
            await users.since()
        running.process.send_signal(signal.SIGHUP)
        await running.says("configuration reloaded")
        await users.until_steady()
        assert users.failures == set()
