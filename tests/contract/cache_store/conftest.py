"""Every store of the cache, opened empty. A new store adds a line to ``STORES``, and one to ``VANISH``.

What needs something that is not here is skipped, saying what: ``redis-server`` or ``valkey-server`` on the PATH
(``WAYPOST_TEST_REDIS_SERVER`` names another), a server with RediSearch at ``WAYPOST_TEST_REDISEARCH_URL``, whose
database is emptied.
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
    return _redis_at(request, request.getfixturevalue("redis_url"), **facts)


def _redisearch(request: pytest.FixtureRequest, **facts: object) -> Store:
    return _redis_at(request, _redisearch_url(), **facts)


def _redisearch_url() -> str:
    url = os.environ.get("WAYPOST_TEST_REDISEARCH_URL")
    if url is None:
        pytest.skip("no server with RediSearch: set WAYPOST_TEST_REDISEARCH_URL")
    return url


def _redis_at(request: pytest.FixtureRequest, url: str, **facts: object) -> Store:
    from waypost.cache.store.redis import RedisStore

    namespace = request.getfixturevalue("namespace")
    return RedisStore(url, timeout=10.0, copies_bytes=10**6, namespace=namespace, **facts)


def _qdrant(request: pytest.FixtureRequest, **facts: object) -> Store:
    pytest.importorskip("qdrant_client")
    from waypost.cache.store.collection import CollectionStore
    from waypost.cache.store.qdrant import QdrantCollection

    path = request.getfixturevalue("tmp_path") / "qdrant"
    collection = QdrantCollection(path=path, dimensions=8, timeout=60.0, namespace="test")
    return CollectionStore("qdrant", collection, timeout=60.0, **facts)


def _milvus(request: pytest.FixtureRequest, **facts: object) -> Store:
    servers = pytest.importorskip("milvus_lite.server_manager").server_manager_instance
    from waypost.cache.store.collection import CollectionStore
    from waypost.cache.store.milvus import MilvusCollection

    path = request.getfixturevalue("tmp_path") / "milvus.db"
    servers.release_server(str(path))  # it would live as long as the process, which a test of restarts is to outlive
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


def _truncate(request: pytest.FixtureRequest, _: Store) -> None:
    os.truncate(request.getfixturevalue("tmp_path") / "cache.sqlite", 0)


def _flush(url: str) -> None:
    from redis import Redis

    with Redis.from_url(url) as client:
        client.flushdb()
        client.script_flush()  # a server that was started anew knows no scripts either


def _drop_from_qdrant(_: pytest.FixtureRequest, store: Store) -> None:
    store._collection._connection.client().delete_collection("test_cache_8")  # embedded it lets in no other client


def _drop_from_milvus(request: pytest.FixtureRequest, _: Store) -> None:
    from pymilvus import MilvusClient

    client = MilvusClient(str(request.getfixturevalue("tmp_path") / "milvus.db"))
    client.drop_collection("test_cache_8")
    client.close()


VANISH: dict[str, Callable[[pytest.FixtureRequest, Store], None]] = {
    "memory": lambda _, __: None,  # nobody else reaches it
    "sqlite": _truncate,
    "redis": lambda request, _: _flush(request.getfixturevalue("redis_url")),
    "redisearch": lambda _, __: _flush(_redisearch_url()),
    "qdrant": _drop_from_qdrant,
    "milvus": _drop_from_milvus,
}
"""What an operator, or a server started anew without its volume, does to what a store holds."""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def namespace() -> str:
    return uuid.uuid4().hex


@pytest.fixture(params=STORES)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def opened(request: pytest.FixtureRequest, kind: str, tmp_path: Path, clock: Clock) -> Callable[[], Store]:
    """Opens the same store, as often as it is called."""
    return lambda: STORES[kind](request, clock=clock, max_entries=100, max_bytes=10**6)


@pytest.fixture
async def store(opened: Callable[[], Store]) -> AsyncIterator[Store]:
    store = opened()
    yield store
    await store.close()


@pytest.fixture
def vanish(request: pytest.FixtureRequest, kind: str, store: Store) -> Callable[[], None]:
    """Has vanish what the store holds."""
    return lambda: VANISH[kind](request, store)


@pytest.fixture(scope="session")
def redis_url(redis_servers: Callable[[], contextlib.AbstractContextManager]) -> Iterator[str]:
    """Where a server of our own listens."""
    with redis_servers() as server:
        yield server.url
