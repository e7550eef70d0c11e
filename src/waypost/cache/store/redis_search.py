"""The nearest questions by RediSearch, where the server has it."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from waypost.cache.store.vectors import Floats

__all__ = ["SearchIndex"]

log = logging.getLogger(__name__)

_SPECIAL: Final = re.compile(r"(\W)")
"""What RediSearch wants escaped in a tag."""


class SearchIndex:
    """An index over the entries' hashes: RediSearch 2.10 and later, as in Redis Stack 7.4 and Redis 8.

    Earlier ones, and Valkey's module, know no vectors of half precision; there is then no index.
    """

    def __init__(self, client: Redis, prefix: str, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._prefix = prefix
        self._clock = clock
        self._ready: dict[int, bool] = {}
        """Dimensions -> whether the server can have an index; absent: there is none yet, or it is being filled."""

    async def nearest(self, partition: str, vector: Floats, k: int) -> list[tuple[float, str]] | None:
        """Return cosine and digest of the ``k`` nearest; None when the server cannot tell. Raises RedisError."""
        dimensions = len(vector)
        if dimensions not in self._ready:
            await self._create(dimensions)
        if not self._ready.get(dimensions):
            return None
        try:
            found = await self._ask(*self._query(partition, vector, k))
        except ResponseError:  # the server was started anew, without the index or without the module
            del self._ready[dimensions]
            return None
        cut = len(self._prefix) + len("e:")
        return [
            (1 - float(fields[1]), key[cut:].decode()) for key, fields in zip(found[1::2], found[2::2], strict=True)
        ]

    async def _create(self, dimensions: int) -> None:
        try:
            await self._ask(
                *("FT.CREATE", self._name(dimensions), "ON", "HASH", "PREFIX", 1, f"{self._prefix}e:", "SCHEMA"),
                *("partition", "TAG", "CASESENSITIVE", "expires", "NUMERIC"),
                *("vector", "VECTOR", "FLAT", 6, "TYPE", "FLOAT16", "DIM", dimensions, "DISTANCE_METRIC", "COSINE"),
            )
        except ResponseError as error:
            if "already exists" not in str(error):
                log.info("the cache searches without RediSearch: %s", error)
                self._ready[dimensions] = False
                return
        facts = await self._ask("FT.INFO", self._name(dimensions))
        if int(facts[facts.index(b"indexing") + 1]) == 0:
            self._ready[dimensions] = True

    async def _ask(self, *command: str | bytes | float) -> Sequence[Any]:
        reply: Sequence[Any] = await self._client.execute_command(*command)  # type: ignore[no-untyped-call]
        return reply

    def _query(self, partition: str, vector: Floats, k: int) -> tuple[str | bytes | float, ...]:
        tag = _SPECIAL.sub(r"\\\1", partition)
        where = f"(@partition:{{{tag}}} @expires:[({self._clock() * 1000:.0f} +inf])"
        return (
            *("FT.SEARCH", self._name(len(vector)), f"{where}=>[KNN {k} @vector $vector AS distance]"),
            *("PARAMS", 2, "vector", vector.astype("<f2").tobytes(), "SORTBY", "distance", "LIMIT", 0, k),
            *("RETURN", 1, "distance", "DIALECT", 2),
        )

    def _name(self, dimensions: int) -> str:
        return f"{self._prefix}vectors:{dimensions}"
