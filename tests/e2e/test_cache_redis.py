"""The cache on a real Redis: killed and started again under load, and shared by two routers."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from asyncio.subprocess import PIPE
from hashlib import blake2b
from types import SimpleNamespace

import numpy as np
import pytest

from waypost.cache.cache import Cache, Hit, Place
from waypost.cache.directives import directives
from waypost.cache.entry import Entry
from waypost.cache.key import ask, owner_digest
from waypost.cache.similarity import shipped
from waypost.cache.store.base import Selector, StoreUnavailable
from waypost.config.caching import CacheConfig, DecisionCache
from waypost.inference.encoder import Encoding
from waypost.wire.document import Document

pytest.importorskip("redis", reason="the package redis is not installed: pip install 'waypost[redis]'")

from waypost.cache.store.redis import RedisStore

PLACE, LAW = Place("math", "m", DecisionCache()), Place("law", "m", DecisionCache())
FREE = directives("")
BOUND = 0.25
MINUTE = 60.0


class RedisServer:
    """A server of our own on one port of loopback; keeps nothing on disk."""

    def __init__(self, binary, directory):
        self._binary, self._directory = binary, directory
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self):
        command = [self._binary, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir"]
        with (self._directory / "redis.log").open("ab") as log:
            self._process = subprocess.Popen([*command, str(self._directory)], stdout=log, stderr=log)
        deadline = time.monotonic() + MINUTE
        while not self._answers():
            assert time.monotonic() < deadline, (self._directory / "redis.log").read_text()
            time.sleep(0.01)

    def kill(self):
        self._process.kill()
        self._process.wait()

    def hang(self):
        """Let it take connections and never answer."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self._process.send_signal(signal.SIGCONT)

    def _answers(self):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(7) == b"+PONG\r\n"
        return False


@pytest.fixture
def server(tmp_path):
    named = os.environ.get("WAYPOST_TEST_REDIS_SERVER")
    binary = named or shutil.which("redis-server") or shutil.which("valkey-server")
    if binary is None:
        pytest.skip("neither redis-server nor valkey-server is installed: apt-get install redis-server")
    server = RedisServer(binary, tmp_path)
    server.start()
    yield server
    server.kill()


class Letters:
    """Embeds a text as the counts of its letters."""

    manifest = SimpleNamespace(recipe="letters")

    async def encode(self, text, *, until=None):
        vector = np.full(64, 0.01, np.float32)
        for letter in text.lower():
            vector[blake2b(letter.encode(), digest_size=1).digest()[0] % 64] += letter.isalnum()
        return Encoding(vector / np.linalg.norm(vector), vector[:0], len(text), 1, 0, 0.0)

    def close(self):
        pass


def request(text, owner="alice"):
    body = {"model": "auto", "messages": [{"role": "user", "content": text}]}
    return ask(Document.parse(json.dumps(body).encode()), "chat", owner=owner_digest(owner), policy="p")


@contextlib.asynccontextmanager
async def router(url, timeout=BOUND, **more):
    """What one router has of the cache: a store and a cache of its own."""
    facts = {"max_entries": 1000, "max_bytes": 10**8, "copies_bytes": 10**6, "namespace": "e2e"} | more
    store = RedisStore(url, timeout=timeout, **facts)
    yield (
        Cache(CacheConfig(backend="redis", url=url, timeout=f"{timeout * 1000}ms"), store, shipped(), Letters()),
        store,
    )
    await store.close()


async def until(condition, what):
    async with asyncio.timeout(MINUTE):
        while not await condition():
            await asyncio.sleep(0.005)
    return what


async def test_killed_under_load_it_is_a_miss_and_comes_back_by_itself(server):
    running, slowest, seen = True, 0.0, []

    async def load(cache, number):
        nonlocal slowest
        question = f"How do I reset my password number {number}?"
        while running:
            started = asyncio.get_running_loop().time()
            found = await cache.lookup_exact(request(question), FREE)
            slowest = max(slowest, asyncio.get_running_loop().time() - started)
            seen.append("hit" if isinstance(found, Hit) else found.reason)
            if not isinstance(found, Hit):
                await cache.store(request(question), PLACE, b"{}")
            await asyncio.sleep(0)

    async def sees(kind):
        seen.clear()
        await until(lambda: asyncio.sleep(0, kind in seen), kind)

    async with router(server.url) as (cache, _), asyncio.TaskGroup() as group:
        for number in range(8):
            group.create_task(load(cache, number))
        await sees("hit")
        server.kill()
        await sees("store_down")
        server.start()
        await sees("hit")
        server.hang()
        await until(lambda: asyncio.sleep(0, cache.counts["miss", "store_slow"] > 0), "slow")
        server.go_on()
        await sees("hit")
        running = False
    assert set(seen) <= {"hit", "absent", "store_down", "store_slow"}
    assert slowest < MINUTE / 2  # the bound, with room for a busy machine


async def other_router(url):
    """Be a router in a process of its own: read orders line by line, say what came of each."""
    async with router(url, timeout=30.0) as (cache, store):
        while line := await asyncio.to_thread(sys.stdin.readline):
            kind, text, owner = json.loads(line)
            sys.stdout.write(json.dumps(await _obey(cache, store, kind, text, owner)) + "\n")
            sys.stdout.flush()


async def _obey(cache, store, kind, text, owner):
    asked = request(text, owner)
    if kind == "store":
        return await cache.store(asked, PLACE, b'{"from":"the other"}')
    if kind == "invalidate":
        return await store.invalidate(Selector(question=text))
    found = await (cache.lookup_exact(asked, FREE) if kind == "exact" else cache.lookup_similar(asked, PLACE))
    cache.release(asked)
    return found.layer if isinstance(found, Hit) else found.reason


@pytest.fixture
async def other(server):
    """Ask a router in another process, through the same Redis."""
    command = (sys.executable, __file__, server.url)
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)

    async def order(kind, text, owner="alice"):
        process.stdin.write(json.dumps([kind, text, owner]).encode() + b"\n")
        async with asyncio.timeout(MINUTE):
            return json.loads(await process.stdout.readline())

    yield order
    process.stdin.close()
    await process.wait()


async def test_two_routers_share_what_they_store_and_what_they_forget(server, other):
    first, alike = "How do I reset my password?", "How can I reset my password?"
    async with router(server.url, timeout=30.0) as (cache, store):
        assert await other("similar", alike) == "absent"
        await cache.store(request(first), PLACE, b"{}")
        assert await other("exact", first) == "exact"
        assert await other("similar", alike) == "similar"
        assert await other("exact", first, "eve") == "absent"
        assert await other("similar", first, "eve") == "absent"

        await other("store", "How do I bake bread?")
        assert isinstance(await cache.lookup_similar(request("How can I bake bread?"), PLACE), Hit)
        assert (await cache.lookup_similar(request("How can I bake bread?"), LAW)).reason == "absent"

        assert await other("invalidate", "How do I bake bread?") == 1
        assert (await cache.lookup_similar(request("How can I bake bread?"), PLACE)).reason != "similar"
        assert (await cache.lookup_exact(request("How do I bake bread?"), FREE)).reason == "absent"
        assert await store.invalidate(Selector(owner=owner_digest("eve"))) == 0
        assert await store.invalidate(Selector(owner=owner_digest("alice"), decision="math")) == 1
        assert await other("exact", first) == "absent"
        assert await other("similar", alike) == "absent"


async def test_bounds_hold_for_all_routers_together(server):
    async with router(server.url, max_entries=10) as (one, store), router(server.url, max_entries=10) as (two, _):
        for number in range(20):
            await (one, two)[number % 2].store(request(f"Question number {number}?"), PLACE, b"{}")
        assert (await store.stats()).entries == 10


async def test_redis_forgets_by_itself_when_nobody_runs(server):
    from redis.asyncio import Redis

    brief = Place("math", "m", DecisionCache(ttl="300ms"))
    async with router(server.url) as (cache, _), Redis.from_url(server.url) as client:
        await cache.store(request("How do I reset my password?"), brief, b"{}")
        assert await client.dbsize() == 4

        async def empty():
            return await client.dbsize() == 0

        await until(empty, "gone")


async def test_a_full_redis_is_not_an_error(server):
    from redis.asyncio import Redis

    async with router(server.url) as (cache, _), Redis.from_url(server.url) as client:
        await cache.store(request("How do I reset my password?"), PLACE, b"{}")
        await client.config_set("maxmemory", "100kb")
        await cache.store(request("How do I bake bread?"), PLACE, b"x" * 1000)
        assert cache.counts["store", "store_down"] == 1
        assert isinstance(await cache.lookup_exact(request("How do I reset my password?"), FREE), Hit)


@pytest.mark.parametrize("lost", ["meta", "expiry"])
async def test_what_redis_evicts_never_leaves_answers_that_cannot_be_invalidated(server, lost):
    from redis.asyncio import Redis

    async with router(server.url) as (cache, store), Redis.from_url(server.url) as client:
        await cache.store(request("How do I reset my password?"), PLACE, b"{}")
        await client.delete(f"e2e:cache:{lost}")
        await cache.store(request("How do I bake bread?"), PLACE, b"{}")
        assert (await cache.lookup_exact(request("How do I reset my password?"), FREE)).reason == "absent"
        assert (await store.stats()).entries == 1
        assert await store.invalidate(Selector()) == 1


async def test_a_partition_larger_than_the_copies_is_searched_among_its_newest(server):
    async with router(server.url, copies_bytes=20 * 2 * 4 * 64, timeout=30.0) as (_, store):
        vector = np.eye(64, dtype=np.float16)[0]
        for number in range(60):
            await store.put(Entry(str(number), "p", "q", b"{}", "chat", time.time(), 600.0, "d", "m", "o", vector))
        found = {int(entry.exact) for _, entry in await store.search("p", vector, 60)}
        assert found == set(range(39, 60))


async def test_a_server_that_is_not_there_is_told_as_such(server):
    server.kill()
    async with router(server.url) as (_, store):
        for call in (store.get_exact("a"), store.stats(), store.invalidate(Selector())):
            with pytest.raises(StoreUnavailable):
                await call


if __name__ == "__main__":
    asyncio.run(other_router(sys.argv[1]))
