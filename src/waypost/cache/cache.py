"""The cache: an identical request first, then a similar question within the same partition.

One request on its way::

    found = await cache.lookup_exact(asked, may)            # before anything else is computed
    found = await cache.lookup_similar(asked, place)        # after a miss, once decision and model are known
    await cache.store(asked, place, body)                   # a whole answer, from Capture.finish()
    cache.release(asked)                                    # always, at the end of a request whose miss ``leads``
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, TypeVar

import numpy as np

from waypost.cache.capture import Unfit
from waypost.cache.checks import Refusal
from waypost.cache.directives import Directives
from waypost.cache.entry import Entry
from waypost.cache.flights import Flights
from waypost.cache.key import Asked
from waypost.cache.match import Unasked, match, readable
from waypost.cache.reading import Reading, read
from waypost.cache.similarity import Similarity
from waypost.cache.store.base import Selector, Store, StoreStats, StoreUnavailable
from waypost.config.caching import CacheConfig, DecisionCache
from waypost.errors import InferenceError
from waypost.inference.architecture import Floats
from waypost.inference.encoder import Encoder

__all__ = ["Cache", "Hit", "Layer", "Miss", "NotKept", "Place", "Reason"]

Layer: TypeAlias = Literal["exact", "similar"]

NotKept: TypeAlias = Literal["disabled", "timely", "store_slow", "store_down"] | Unfit
"""Why an answer is not kept."""

Reason: TypeAlias = (
    Literal["absent", "dissimilar", "disabled", "opted_out", "waited", "encoder", "store_slow", "store_down"]
    | Unasked
    | Refusal
)
"""Why nothing is served from the cache."""

_CANDIDATES: Final = 8
"""Entries that are compared with a question, the nearest by cosine: enough for those that the checks refuse."""
_EXACT: Final = 1.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request goes, and what that decision says of the cache."""

    decision: str
    model: str
    settings: DecisionCache


@dataclass(frozen=True, slots=True)
class Hit:
    """An answer that may be served."""

    entry: Entry
    layer: Layer
    similarity: float
    """In [0, 1]; 1 for an identical request."""
    age: int
    """Seconds."""

    @property
    def headers(self) -> Mapping[str, str]:
        """What the client is told of it."""
        return {
            "age": str(self.age),
            "x-vsr-cache-hit": "true",
            "x-vsr-cache-layer": self.layer,
            "x-vsr-cache-similarity": f"{self.similarity:.4f}",
        }


@dataclass(frozen=True, slots=True)
class Miss:
    """Nothing may be served."""

    reason: Reason
    leads: bool = False
    """Identical requests wait for this one's answer: call :meth:`Cache.release` when it is over."""


class Cache:
    """Lookups and stores within bounds of time; never raises for what a store or the encoder does."""

    def __init__(
        self,
        config: CacheConfig,
        store: Store,
        similarity: Similarity,
        encoder: Encoder | None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Without ``encoder`` only identical requests are served. ``clock``: Unix seconds."""
        self._config = config
        self._store = store
        self._similarity = similarity
        self._encoder = encoder if config.similar else None
        self._clock = clock
        self._flights = Flights()
        self._storing: set[asyncio.Task[None]] = set()
        self.counts: Counter[tuple[str, str]] = Counter()
        """Of ``("hit", layer)``, ``("miss", reason)``, ``("refused", check)`` and ``("store", "kept" or why not)``.

        A miss counts once a request, for the last reason found; a check counts for each candidate that it refused.
        """
        self.told_skipped: Callable[[NotKept], None] = lambda _: None
        """Called with the reason for each answer that is not kept."""

    async def lookup_exact(self, asked: Asked, may: Directives) -> Hit | Miss:
        """Look for the identical request; when one is under way, wait for its answer.

        The misses ``absent`` and ``waited`` are not counted yet: :meth:`lookup_similar` is next.
        """
        if not may.lookup:
            return self.miss("opted_out")
        found = await self._exact(asked)
        if isinstance(found, Hit) or found.reason != "absent" or not may.store or self._is_timely(asked):
            return found
        if self._flights.board(asked.exact):
            return Miss("absent", leads=True)
        if not await self._flights.wait(asked.exact, self._config.wait):
            return Miss("waited")
        return await self._exact(asked)

    async def lookup_similar(self, asked: Asked, place: Place, without: Reason = "absent") -> Hit | Miss:
        """Look for a question to which the answer is the same, where all else is the same.

        ``without``: the reason where there is none to compare with.
        """
        if self._encoder is None:
            return self.miss(without)
        reading = readable(asked.question)
        if not isinstance(reading, Reading):
            return self.miss(reading)
        try:
            vector = (await self._encoder.encode(asked.question)).embedding
        except InferenceError:
            return self.miss("encoder")
        partition = self._partition(asked, place)
        candidates = await self._bounded(self._store.search(partition, vector, _CANDIDATES))
        if isinstance(candidates, str):
            return self.miss(candidates)
        return self._best(reading, candidates, self._threshold(place)) if candidates else self.miss(without)

    async def store(self, asked: Asked, place: Place, body: bytes) -> None:
        """Keep a whole answer, and let those go who wait for it."""
        try:
            if (reason := await self._keep(asked, place, body)) is None:
                self.counts["store", "kept"] += 1
            else:
                self.skip(reason)
        finally:
            self.release(asked)

    def store_soon(self, asked: Asked, place: Place, body: bytes) -> None:
        """Keep a whole answer without holding up who brings it."""
        task = asyncio.get_running_loop().create_task(self.store(asked, place, body))
        self._storing.add(task)
        task.add_done_callback(self._storing.discard)

    def skip(self, reason: NotKept) -> None:
        """Take note of an answer that is not kept."""
        self.counts["store", reason] += 1
        self.told_skipped(reason)

    def miss(self, reason: Reason) -> Miss:
        """Take note of a request for which nothing is served."""
        self.counts["miss", reason] += 1
        return Miss(reason)

    @property
    def backend(self) -> str:
        """The store's name."""
        return self._store.name

    async def held(self) -> StoreStats:
        """Count what is kept. Raises StoreUnavailable."""
        return await self._store.stats()

    async def forget(self, selector: Selector) -> int:
        """Drop the entries that are meant and return their number. Raises StoreUnavailable."""
        return await self._store.invalidate(selector)

    async def settle(self) -> None:
        """Wait until everything is kept that is being kept."""
        while self._storing:
            await asyncio.gather(*self._storing)

    def release(self, asked: Asked) -> None:
        """Let those go who wait for the answer to this request, whether it is kept or not."""
        self._flights.land(asked.exact)

    async def _exact(self, asked: Asked) -> Hit | Miss:
        entry = await self._bounded(self._store.get_exact(asked.exact))
        if isinstance(entry, str):
            return self.miss(entry)
        return Miss("absent") if entry is None else self._hit(entry, "exact", _EXACT)

    def _best(self, reading: Reading, candidates: Sequence[tuple[float, Entry]], threshold: float) -> Hit | Miss:
        """Choose the most similar candidate that no check refuses."""
        reason: Reason = "dissimilar"
        best: tuple[float, Entry] | None = None
        for cosine, entry in candidates:
            found = match(read(entry.question), reading, cosine, self._similarity, threshold)
            if found.refusal is None:
                best = (
                    max(best, (found.similarity, entry), key=lambda one: one[0]) if best else (found.similarity, entry)
                )
            elif found.refusal != "dissimilar":
                self.counts["refused", found.refusal] += 1
                reason = found.refusal if reason == "dissimilar" else reason
        return self._hit(best[1], "similar", best[0]) if best else self.miss(reason)

    async def _keep(self, asked: Asked, place: Place, body: bytes) -> NotKept | None:
        """Keep an answer; returns why not, or None."""
        if not place.settings.enabled:
            return "disabled"
        if len(body) > self._config.max_answer:
            return "too_large"
        reading = readable(asked.question)
        if reading == "timely":
            return "timely"
        vector = await self._vector(asked) if isinstance(reading, Reading) else None
        entry = Entry(
            exact=asked.exact,
            partition="" if vector is None else self._partition(asked, place),
            question=asked.question,
            body=body,
            wire=asked.wire,
            created=self._clock(),
            ttl=place.settings.ttl or self._config.ttl,
            decision=place.decision,
            model=place.model,
            owner=asked.owner,
            vector=None if vector is None else vector.astype(np.float16),
        )
        failure = await self._bounded(self._store.put(entry))
        return failure if isinstance(failure, str) else None

    async def _vector(self, asked: Asked) -> Floats | None:
        if self._encoder is None:
            return None
        try:
            return (await self._encoder.encode(asked.question)).embedding
        except InferenceError:
            return None

    def _partition(self, asked: Asked, place: Place) -> str:
        """Vectors of one encoder mean nothing to another, so that its recipe belongs to the partition."""
        recipe = self._encoder.manifest.recipe if self._encoder else ""
        return asked.partition(place.decision, f"{place.model} {recipe}")

    def _threshold(self, place: Place) -> float:
        for threshold in (place.settings.similarity, self._config.similarity):
            if threshold is not None:
                return threshold
        return self._similarity.threshold

    def _is_timely(self, asked: Asked) -> bool:
        return readable(asked.question) == "timely"

    async def _bounded(self, call: Awaitable[T]) -> T | Literal["store_slow", "store_down"]:
        try:
            async with asyncio.timeout(self._config.timeout):
                return await call
        except TimeoutError:
            return "store_slow"
        except StoreUnavailable:
            return "store_down"

    def _hit(self, entry: Entry, layer: Layer, similarity: float) -> Hit:
        self.counts["hit", layer] += 1
        return Hit(entry, layer, similarity, entry.age(self._clock()))
