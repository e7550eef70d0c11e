import sys

import pytest
from pydantic import ValidationError

from waypost.cache.store.opening import open_store
from waypost.config.caching import CacheConfig
from waypost.errors import SetupError


async def test_memory_and_file(tmp_path):
    for settings in ({}, {"path": str(tmp_path / "cache.sqlite")}):
        store = open_store(CacheConfig(**settings))
        assert store.name == "memory"
        await store.close()


@pytest.mark.parametrize(
    "package, settings",
    [
        ("redis", {"backend": "redis", "url": "redis://127.0.0.1:1"}),
        ("qdrant_client", {"backend": "qdrant", "url": "http://127.0.0.1:1"}),
        ("pymilvus", {"backend": "milvus", "url": "http://127.0.0.1:1"}),
    ],
)
async def test_a_server_that_is_down_does_not_stop_the_start(package, settings):
    pytest.importorskip(package)
    store = open_store(CacheConfig(**settings))
    assert store.name == settings["backend"]
    await store.close()


def test_a_package_that_is_missing_is_named(monkeypatch):
    monkeypatch.delitem(sys.modules, "waypost.cache.store.redis", raising=False)
    monkeypatch.setitem(sys.modules, "redis", None)
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(SetupError, match=r"pip install 'waypost\[redis\]'"):
        open_store(CacheConfig(backend="redis", url="redis://127.0.0.1"))


@pytest.mark.parametrize(
    "environ, message",
    [({}, "CACHE_URL is not set"), ({"CACHE_URL": "http://me:secret@host"}, "variable CACHE_URL")],
)
def test_a_wrong_variable_is_told_without_its_value(environ, message):
    pytest.importorskip("redis")
    with pytest.raises(SetupError, match=message) as told:
        open_store(CacheConfig(backend="redis", url_env="CACHE_URL"), environ=environ)
    assert "secret" not in str(told.value)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"backend": "redis"}, "takes one of url or url_env, not none"),
        ({"backend": "redis", "path": "x"}, "takes one of url or url_env, not path"),
        ({"backend": "milvus", "url": "http://m", "path": "x"}, "not path and url"),
        ({"url": "redis://x"}, "backend memory takes one of path, not url"),
        ({"backend": "redis", "url": "redis://:secret@host"}, "pattern"),
        ({"backend": "redis", "url": "redis://host", "namespace": "a:b"}, "pattern"),
    ],
)
def test_mistakes_are_told(settings, message):
    with pytest.raises(ValidationError, match=message):
        CacheConfig(**settings)
