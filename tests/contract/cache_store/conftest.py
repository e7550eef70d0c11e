"""Every store of the cache, opened empty. A new store adds a line to ``STORES``.

What needs something that is not here is skipped, saying what: ``redis-server`` or ``valkey-server`` on the PATH
(``WAYPOST_TEST_REDIS_SERVER`` names another), a server with RediSearch at ``WAYPOST_TEST_REDISEARCH_URL``.
"""

import contextlib
import os
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from waypost.cache.store.base import Store
from waypost.cache.store.memory import MemoryStore
from waypost.cache.store.sqlite import SqliteStore


class Clock:
    """Unix seconds that only a test moves."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def _memory(request: pytest.FixtureRequest, **facts: object) -> Store:
    return MemoryStore(**facts)


def _sqlite(request: pytest.FixtureRequest, **facts: object) -> Store:
    return SqliteStore(request.getfixturevalue("tmp_path") / "cache.sqlite", **facts)


def _redis(request: pytest.FixtureRequest, **facts: object) -> Store:
    return _redis_at(request.getfixturevalue("redis_url"), **facts)


def _redisearch(request: pytest.FixtureRequest, **facts: object) -> Store:
    url = os.environ.get("WAYPOST_TEST_REDISEARCH_URL")
    if url is None:
        pytest.skip("no server with RediSearch: set WAYPOST_TEST_REDISEARCH_URL")
    return _redis_at(url, **facts)


def _redis_at(url: str, **facts: object) -> Store:
    from waypost.cache.store.redis import RedisStore

    return RedisStore(url, timeout=10.0, copies_bytes=10**6, namespace=uuid.uuid4().hex, **facts)


def _qdrant(request: pytest.FixtureRequest, **facts: object) -> Store:
    pytest.importorskip("qdrant_client")
    from waypost.cache.store.collection import CollectionStore
    from waypost.cache.store.qdrant import QdrantCollection

    path = request.getfixturevalue("tmp_path") / "qdrant"
    collection = QdrantCollection(path=path, dimensions=8, timeout=60.0, namespace="test")
    return CollectionStore("qdrant", collection, timeout=60.0, **facts)


def _milvus(request: pytest.FixtureRequest, **facts: object) -> Store:
    pytest.importorskip("milvus_lite")
    from waypost.cache.store.collection import CollectionStore
    from waypost.cache.store.milvus import MilvusCollection

    path = request.getfixturevalue("tmp_path") / "milvus.db"
    collection = MilvusCollection(path=path, dimensions=8, timeout=60.0, namespace="test")
    return CollectionStore("milvus", collection, timeout=60.0, **facts)


STORES: dict[str, Callable[..., Store]] = {
    "memory": _memory,
    "sqlite": _sqlite,
    "redis": _redis,
    "redisearch": _redisearch,
    "qdrant": _qdrant,
    "milvus": _milvus,
}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=STORES)
async def store(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> AsyncIterator[Store]:
    opened = STORES[request.param](request, clock=clock, max_entries=100, max_bytes=10**6)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def redis_url(redis_servers: Callable[[], contextlib.AbstractContextManager]) -> Iterator[str]:
    """Where a server of our own listens."""
    with redis_servers() as server:
        yield server.url
