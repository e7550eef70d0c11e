"""From the configuration to an open store."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from waypost.cache.store.base import Store
from waypost.cache.store.collection import Collection, CollectionStore
from waypost.cache.store.memory import MemoryStore
from waypost.cache.store.sqlite import SqliteStore
from waypost.config.caching import CacheConfig
from waypost.config.secret import Secret
from waypost.errors import SetupError

__all__ = ["open_store"]

_FEWEST: Final = 2
"""Milvus has no vectors of fewer dimensions."""


def open_store(config: CacheConfig, dimensions: int = _FEWEST, environ: Mapping[str, str] = os.environ) -> Store:
    """Open what ``config`` says, for embeddings of so many ``dimensions``; without an encoder any number does.

    A server that is down is no error. Raises SetupError for a package, variable or file that is missing.
    """
    openers: dict[str, Callable[[CacheConfig, int, Mapping[str, str]], Store]] = {
        "memory": _memory,
        "redis": _redis,
        "qdrant": _qdrant,
        "milvus": _milvus,
    }
    try:
        return openers[config.backend](config, dimensions, environ)
    except ModuleNotFoundError as error:
        extra = f"pip install 'waypost[{config.backend}]'"
        raise SetupError(f"cache.backend {config.backend} needs the package {error.name}: {extra}") from error


def _memory(config: CacheConfig, _: int, __: Mapping[str, str]) -> Store:
    if config.path is None:
        return MemoryStore(max_entries=config.max_entries, max_bytes=config.max_bytes)
    return SqliteStore(Path(config.path).expanduser(), max_entries=config.max_entries, max_bytes=config.max_bytes)


def _redis(config: CacheConfig, _: int, environ: Mapping[str, str]) -> Store:
    from waypost.cache.store.redis import RedisStore

    try:
        return RedisStore(
            _url(config, environ),
            max_entries=config.max_entries,
            max_bytes=config.max_bytes,
            timeout=config.timeout,
            copies_bytes=config.copies_bytes,
            namespace=config.namespace,
        )
    except ValueError as error:
        raise SetupError(f"the cache's URL is none of redis://, rediss:// and unix:// ({_source(config)})") from error


def _qdrant(config: CacheConfig, dimensions: int, environ: Mapping[str, str]) -> Store:
    from waypost.cache.store.qdrant import QdrantCollection

    url, key = _server(config, environ)
    collection = QdrantCollection(
        dimensions=dimensions,
        timeout=config.timeout,
        namespace=config.namespace,
        url=url,
        api_key=key,
        path=_path(config),
    )
    return _collection(config, collection)


def _milvus(config: CacheConfig, dimensions: int, environ: Mapping[str, str]) -> Store:
    from waypost.cache.store.milvus import MilvusCollection

    url, token = _server(config, environ)
    collection = MilvusCollection(
        dimensions=dimensions,
        timeout=config.timeout,
        namespace=config.namespace,
        url=url,
        token=token,
        path=_path(config),
    )
    return _collection(config, collection)


def _collection(config: CacheConfig, collection: Collection) -> Store:
    if collection.embedded:
        _open_now(config, collection)
    return CollectionStore(
        config.backend, collection, max_entries=config.max_entries, max_bytes=config.max_bytes, timeout=config.timeout
    )


def _open_now(config: CacheConfig, collection: Collection) -> None:
    """Open an embedded database. A server may come later, but what is wrong here stays so until somebody mends it."""
    try:
        collection.open()
    except Exception as error:  # the drivers have no error in common
        told = " ".join(str(error).split())
        raise SetupError(
            f"cannot open cache.path {_path(config)} ({told}): end the process that has it open,"
            " make it writable, or write another path"
        ) from error


def _path(config: CacheConfig) -> Path | None:
    return None if config.path is None else Path(config.path).expanduser().absolute()


def _server(config: CacheConfig, environ: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Return URL and secret; both None for an embedded database."""
    if config.path is not None:
        return None, None
    try:
        parts = urlsplit(_url(config, environ))
        return _without_secret(parts), unquote(parts.password) if parts.password else None
    except ValueError as error:
        raise SetupError(f"the cache's URL cannot be read ({_source(config)})") from error


def _without_secret(parts: SplitResult) -> str:
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _url(config: CacheConfig, environ: Mapping[str, str]) -> str:
    if config.url is not None:
        return config.url
    return Secret(config.url_env, config.url_file, environ).reveal()


def _source(config: CacheConfig) -> str:
    if config.url_file is not None:
        return f"file {config.url_file}"
    return "cache.url" if config.url_env is None else f"environment variable {config.url_env}"
