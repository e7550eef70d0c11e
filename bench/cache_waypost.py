"""waypost's cache for ``bench/cache.py``, on the store that its argument names."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import count

from cache_load import ANSWER, Vectors, measure, question

from waypost.cache.cache import Cache, Hit, Place
from waypost.cache.directives import Directives
from waypost.cache.key import Asked
from waypost.cache.similarity import shipped
from waypost.cache.store.opening import open_store
from waypost.config.caching import CacheConfig, DecisionCache
from waypost.inference.encoder import Encoding
from waypost.inference.manifest import Manifest

_BODY = b'{"choices":[{"index":0,"message":{"role":"assistant","content":"%s"},"finish_reason":"stop"}]}'
_PLACE = Place("bench", "model", DecisionCache())
_ALL = Directives(lookup=True, store=True)
_AT_ONCE = 16
"""Requests that fill a store together."""


class Given:
    """An encoder that knows the vectors already, by question."""

    pending = 0
    manifest = Manifest("bench", 384, 0, (), "", "mean", "none", (), {})

    def __init__(self) -> None:
        self.vectors: dict[str, Vectors] = {}

    async def encode(self, text: str, *, until: float | None = None) -> Encoding:
        del until
        vector = self.vectors.pop(text)
        return Encoding(vector, vector[:0], 0, 1, 0, 0.0)

    def close(self) -> None:
        pass


class Waypost:
    has_exact = True

    def __init__(self, config: CacheConfig) -> None:
        self._encoder = Given()
        self._cache = Cache(config, open_store(config, 384), shipped(), self._encoder)
        self._others = (f"{number:040x}" for number in count(2**64))

    async def fill(self, first: int, vectors: Vectors) -> None:
        waiting = iter(enumerate(vectors, first))

        async def work() -> None:
            for number, vector in waiting:
                await self.store(number, vector)

        await asyncio.gather(*(work() for _ in range(_AT_ONCE)))

    async def store(self, number: int, vector: Vectors) -> None:
        asked = self._know(number, vector)
        await self._cache.store(asked, _PLACE, _BODY % ANSWER.encode())

    async def exact(self, number: int) -> bool:
        return isinstance(await self._cache.lookup_exact(_asked(number), _ALL), Hit)

    async def similar(self, number: int, vector: Vectors) -> bool:
        asked = replace(self._know(number, vector), exact=next(self._others))
        return isinstance(await self._cache.lookup_similar(asked, _PLACE), Hit)

    def _know(self, number: int, vector: Vectors) -> Asked:
        asked = _asked(number)
        self._encoder.vectors[asked.question] = vector
        return asked


def _asked(number: int) -> Asked:
    return Asked(f"{number + 2**32:040x}", question(number), "", "chat", "rest")


async def main(place: str, sizes: Sequence[int], server: int | None) -> None:
    """``place``: a URL of Redis, a path of SQLite, or nothing."""
    roomy = {"max_entries": 2 * max(sizes), "max_bytes": "64GiB", "copies_bytes": "8GiB", "timeout": "1m"}
    where = {"backend": "redis", "url": place} if "://" in place else {"path": place or None}
    await measure(Waypost(CacheConfig.model_validate(roomy | where)), sizes, server)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], [int(size) for size in sys.argv[3:]], int(sys.argv[2]) or None))
