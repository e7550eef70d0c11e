"""The cache on a real Redis: bounds, and what the server does to the entries by itself."""

import asyncio
import contextlib
import json
import time
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

PLACE = Place("math", "m", DecisionCache())
FREE = directives("")
BOUND = 0.25
MINUTE = 60.0


@pytest.fixture
def server(redis_servers):
    with redis_servers() as server:
        yield server


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


def request(text):
    body = {"model": "auto", "messages": [{"role": "user", "content": text}]}
    return ask(Document.parse(json.dumps(body).encode()), "chat", owner=owner_digest("alice"), policy="p")


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

        async with asyncio.timeout(MINUTE):
            while await client.dbsize():
                await asyncio.sleep(0.005)


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
