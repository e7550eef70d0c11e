import fcntl
import gc
import re
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
    [({}, "'CACHE_URL' is not set"), ({"CACHE_URL": "http://me:secret@host"}, "variable CACHE_URL")],
)
def test_a_wrong_variable_is_told_without_its_value(environ, message):
    pytest.importorskip("redis")
    with pytest.raises(SetupError, match=message) as told:
        open_store(CacheConfig(backend="redis", url_env="CACHE_URL"), environ=environ)
    assert "secret" not in str(told.value)


def test_a_url_may_come_from_a_file(tmp_path):
    pytest.importorskip("redis")
    (tmp_path / "url").write_text("http://me:secret@host\n")
    with pytest.raises(SetupError, match=r"\(file .*url\)") as told:
        open_store(CacheConfig(backend="redis", url_file=str(tmp_path / "url")))
    assert "secret" not in str(told.value)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"backend": "redis"}, "takes one of url or url_env or url_file, not none"),
        ({"backend": "redis", "path": "x"}, "takes one of url or url_env or url_file, not path"),
        ({"backend": "milvus", "url": "http://m", "path": "x"}, "not path and url"),
        ({"url": "redis://x"}, "backend memory takes one of path, not url"),
        ({"backend": "redis", "url": "redis://:secret@host"}, "put the whole URL into url_env or url_file"),
        ({"backend": "redis", "url": "mysql://host"}, "expected a URL such as redis://"),
        ({"backend": "redis", "url_env": "redis://:secret@host"}, "not the URL itself"),
        ({"backend": "redis", "url": "redis://host", "namespace": "a:b"}, "pattern"),
    ],
)
def test_mistakes_are_told(settings, message):
    with pytest.raises(ValidationError, match=message):
        CacheConfig(**settings)


def _held_by_qdrant(path):
    path.mkdir()
    (path / "meta.json").write_text('{"collections": {}, "aliases": {}}')
    return path / ".lock"


def _held_by_milvus(path):
    path.mkdir()
    return path / "LOCK"


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize(
    "package, backend, lock",
    [("qdrant_client", "qdrant", _held_by_qdrant), ("milvus_lite", "milvus", _held_by_milvus)],
)
def test_an_embedded_database_that_is_held_is_said_at_the_start(tmp_path, package, backend, lock):
    pytest.importorskip(package)
    path = tmp_path / "cache.db"
    with lock(path).open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        told = _refusal(CacheConfig(backend=backend, path=str(path)))
    assert re.fullmatch(f"cannot open cache.path {path} (.*): end the process that has it open, .*", told)
    gc.collect()  # Qdrant's driver leaves files open when it fails


def _refusal(config):
    with pytest.raises(SetupError) as told:
        open_store(config)
    return str(told.value)


@pytest.mark.parametrize(
    "package, backend",
    [("sqlite3", "memory"), ("qdrant_client", "qdrant"), ("milvus_lite", "milvus")],
)
async def test_a_tilde_is_the_home_directory(tmp_path, monkeypatch, package, backend):
    pytest.importorskip(package)
    monkeypatch.setenv("HOME", str(tmp_path))
    store = open_store(CacheConfig(backend=backend, path="~/cache.db"))
    assert (tmp_path / "cache.db").exists()
    await store.close()
