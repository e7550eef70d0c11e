"""Entries in a Redis or Valkey server that several routers share; no module is needed, RediSearch is used where it is.

What would expire first goes first, within bounds on entries and bytes that hold for all routers together.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from waypost.cache.entry import Entry
from waypost.cache.store.base import Selector, StoreStats
from waypost.cache.store.circuit import Circuit
from waypost.cache.store.labels import entry_labels, selector_labels
from waypost.cache.store.redis_copies import Copies, Rows
from waypost.cache.store.redis_scripts import FETCH, FORGET, NEWER, PUT
from waypost.cache.store.redis_search import SearchIndex
from waypost.cache.store.vectors import Floats

__all__ = ["RedisStore"]

log = logging.getLogger(__name__)

_CONNECTIONS: Final = 16
_BATCH: Final = 500
"""Entries that an invalidation looks at in one round trip."""
_ANY: Final = ""
"""Instead of a partition: whichever the entry is of."""
_FIRST_LOOK: Final = 4
"""A search names so many times the entries asked for, because some may be gone; then more and more of them."""


class RedisStore:
    """Entries live in Redis alone; only vectors are copied here, and those say no more than where to look.

    Connects when first asked, and again by itself. Redis Cluster is not supported.
    """

    name: Final = "redis"

    def __init__(
        self,
        url: str,
        *,
        max_entries: int,
        max_bytes: int,
        timeout: float,
        copies_bytes: int,
        namespace: str = "waypost",
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``timeout`` of one round trip in seconds; ``copies_bytes`` bounds the vectors in this process.

        Raises ValueError when ``url`` is none of redis://, rediss:// and unix://.
        """
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_CONNECTIONS,
            timeout=timeout,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 1, (RedisConnectionError,)),  # a pooled connection may be of an earlier server
            protocol=2,
        )
        self._client = Redis.from_pool(pool)
        self._prefix = f"{namespace}:cache:"
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._clock = clock
        self._circuit = Circuit(down=(RedisConnectionError, RedisTimeoutError), refused=(RedisError,), timeout=timeout)
        self._put, self._fetch, self._forget, self._newer = map(
            self._client.register_script, (PUT, FETCH, FORGET, NEWER)
        )
        self._copies = Copies(self._newer_vectors, copies_bytes)
        self._index = SearchIndex(self._client, self._prefix, clock)
        self._evicted = self._expired = 0

    async def get_exact(self, exact: str) -> Entry | None:
        """Return the answer to the identical request."""
        return (await self._living(_ANY, [exact], 1)).get(exact)

    async def search(self, partition: str, vector: NDArray[np.floating], k: int) -> Sequence[tuple[float, Entry]]:
        """Two round trips while all that is near lives; entries that are gone take further ones."""
        if not partition:
            return []
        wanted, look = np.asarray(vector, np.float32), k * _FIRST_LOOK
        while True:
            near = await self._nearest(partition, wanted, look)
            living = await self._living(partition, [exact for _, exact in near], k)
            if len(living) >= k or len(near) < look:
                return [(cosine, living[exact]) for cosine, exact in near if exact in living]
            look *= _FIRST_LOOK

    async def put(self, entry: Entry) -> None:
        """Keep ``entry`` unless it alone is larger than all there is room for."""
        now = self._clock()
        ttl = round((entry.expires - now) * 1000)
        if entry.size > self._max_bytes or ttl <= 0:
            return
        facts = json.dumps([entry.size, entry.partition, entry_labels(entry)])
        data = entry.without_vector().dump()
        vector = b"" if entry.vector is None else entry.vector.astype("<f2").tobytes()
        expired, evicted = await self._run(
            self._put,
            *(entry.exact, entry.partition, data, vector, facts, entry.size),
            *(int(now * 1000), ttl, self._max_entries, self._max_bytes),
        )
        self._expired += expired
        self._evicted += evicted

    async def invalidate(self, selector: Selector) -> int:
        """Drop the entries that are meant, for every router; looks at all, some hundred at a time."""
        wanted = selector_labels(selector).items()
        cursor, gone = 0, 0
        while True:
            async with self._circuit.call():
                cursor, facts = await self._client.hscan(f"{self._prefix}meta", cursor, count=_BATCH)
            known = cast("dict[bytes, bytes]", facts)
            known.pop(b"bytes", None)
            meant = [exact for exact, fact in known.items() if wanted <= json.loads(fact)[2].items()]
            gone += int((await self._run(self._forget, *meant))[0])
            if cursor == 0:
                return gone

    async def stats(self) -> StoreStats:
        """Count what all routers keep there; what this one dropped."""
        async with self._circuit.call(), self._client.pipeline(transaction=False) as pipe:
            pipe.zcard(f"{self._prefix}expiry")
            pipe.hget(f"{self._prefix}meta", "bytes")
            entries, size = await pipe.execute()
        return StoreStats(entries, int(size or 0), self._evicted, self._expired)

    async def close(self) -> None:
        """Close the connections; what is in Redis stays."""
        await self._client.aclose(close_connection_pool=True)

    async def _nearest(self, partition: str, vector: Floats, look: int) -> list[tuple[float, str]]:
        async with self._circuit.call():
            found = await self._index.nearest(partition, vector, look)
        return await self._copies.nearest(partition, vector, look) if found is None else found

    async def _living(self, partition: str, exacts: Sequence[str], k: int) -> dict[str, Entry]:
        """Read the first ``k`` of the named entries that are still there."""
        if not exacts:
            return {}
        found, gone = await self._run(self._fetch, partition, k, int(self._clock() * 1000), *exacts)
        self._copies.drop(partition, [exact.decode() for exact in gone])
        entries = ((exact.decode(), _parse(data)) for exact, data in zip(found[::2], found[1::2], strict=True))
        return {exact: entry for exact, entry in entries if entry is not None}

    async def _newer_vectors(self, partition: str, last: int, page: int, most: int) -> tuple[bool, Rows]:
        again, rows = await self._run(self._newer, partition, last, page, most)
        return bool(again), rows

    async def _run(self, script: Callable[..., Awaitable[Any]], *arguments: str | bytes | float) -> list[Any]:
        async with self._circuit.call():
            reply: list[Any] = await script(keys=[self._prefix], args=arguments)
        return reply


def _parse(data: bytes) -> Entry | None:
    try:
        return Entry.parse(data)
    except ValueError as error:
        log.warning("an entry of the cache in Redis is unreadable (%s)", error)
        return None
