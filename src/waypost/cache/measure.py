"""What the cache costs on this machine, without the embedding: time of a lookup and of a store, memory an entry."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from waypost.cache.cache import Cache, Hit, Place
from waypost.cache.key import Asked
from waypost.cache.similarity import shipped
from waypost.cache.store.base import Store
from waypost.cache.store.memory import MemoryStore
from waypost.config.caching import CacheConfig, DecisionCache
from waypost.inference.architecture import Floats
from waypost.inference.encoder import Encoding
from waypost.inference.manifest import Manifest

__all__ = ["BODY", "measure", "measure_memory", "question", "vectors"]

_DIMENSIONS: Final = 384
_LOOKUPS: Final = 500
_NOISE: Final = 0.01
BODY: Final = b'{"choices":[{"index":0,"message":{"role":"assistant","content":"%s"},"finish_reason":"stop"}]}' % (
    b"x" * 900
)
"""An answer of a kilobyte."""


def vectors(count: int, seed: int) -> Floats:
    """Make random vectors of length 1, [count, 384]."""
    found = np.random.default_rng(seed).standard_normal((count, _DIMENSIONS), np.float32)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)


def question(number: int) -> str:
    """Make a question of usual length, unlike all others."""
    return f"How do I replace the pump of the washing machine model {number} when it does not start any more?"


async def measure_memory(entries: int) -> dict[str, Any]:
    """Measure the store in memory with so many entries in one partition, which is its worst case."""
    config = CacheConfig(max_entries=2 * entries, max_bytes="64GiB", timeout="10s")
    return await measure(MemoryStore(max_entries=2 * entries, max_bytes=config.max_bytes), config, entries)


async def measure(store: Store, config: CacheConfig, entries: int) -> dict[str, Any]:
    """Fill ``store`` and look up what is in it, what is similar to it, and what is not; milliseconds and bytes."""
    encoder = _Given()
    cache, place = Cache(config, store, shipped(), encoder), Place("bench", "model", DecisionCache())
    known, unknown = vectors(entries, 1), vectors(_LOOKUPS, 2)
    before = _resident()
    stores = [await _store(cache, place, encoder, number, vector) for number, vector in enumerate(known)]
    memory = (_resident() - before) / entries
    numbers = np.random.default_rng(3).integers(entries, size=_LOOKUPS).tolist()
    similar = [replace(_asked(number), exact="another") for number in numbers]
    near = known[numbers] + _NOISE * unknown

    async def hit(turn: int) -> bool:
        encoder.vector = near[turn] / np.linalg.norm(near[turn])
        return isinstance(await cache.lookup_similar(similar[turn], place), Hit)

    async def miss(turn: int) -> bool:
        encoder.vector = unknown[turn]
        return not isinstance(await cache.lookup_similar(_asked(-turn - 1), place), Hit)

    async def exact(turn: int) -> bool:
        return await store.get_exact(_asked(numbers[turn]).exact) is not None

    return {
        "entries": entries,
        "exact hit ms": await _timed(exact),
        "similar hit ms": await _timed(hit),
        "miss ms": await _timed(miss),
        "store ms": _percentiles(stores),
        "bytes an entry": round(memory),
    }


class _Given:
    """An encoder that knows the vector already."""

    vector: Floats
    pending = 0

    @property
    def manifest(self) -> Manifest:
        return Manifest("bench", _DIMENSIONS, 0, (), "", "mean", "none", (), {})

    async def encode(self, text: str, *, until: float | None = None) -> Encoding:
        del text, until
        return Encoding(self.vector, self.vector[:0], 0, 1, 0, 0.0)

    def close(self) -> None:
        pass


def _asked(number: int) -> Asked:
    return Asked(f"{number:040x}", question(number), "", "chat", "rest")


async def _store(cache: Cache, place: Place, encoder: _Given, number: int, vector: Floats) -> float:
    encoder.vector = vector
    start = time.perf_counter()
    await cache.store(_asked(number), place, bytes(bytearray(BODY)))  # a copy, as every answer is
    return time.perf_counter() - start


async def _timed(call: Callable[[int], Awaitable[bool]]) -> dict[str, float]:
    seconds = []
    for turn in range(_LOOKUPS):
        start = time.perf_counter()
        done = await call(turn)
        seconds.append(time.perf_counter() - start)
        if not done:
            raise RuntimeError("the cache did not do what is measured")
    return _percentiles(seconds)


def _percentiles(seconds: list[float]) -> dict[str, float]:
    p50, p99 = np.percentile(np.array(seconds) * 1000, (50, 99))
    return {"p50": round(float(p50), 4), "p99": round(float(p99), 4)}


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
