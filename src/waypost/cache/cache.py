"""The cache: an identical request first, then a similar question within the same partition.

One request on its way::

    found = await cache.lookup_exact(asked, may)            # before anything else is computed
    found = await cache.lookup_similar(asked, place)        # after a miss, once decision and model are known
    await cache.store(asked, place, body)                   # a whole answer, from Capture.finish()
    cache.release(asked, landing)                           # else, at the end of a request whose miss ``leads``
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, TypeVar

import numpy as np

from waypost.cache.capture import Unfit, lacks_usage
from waypost.cache.checks import Refusal
from waypost.cache.directives import Directives
from waypost.cache.entry import Entry
from waypost.cache.flights import Flights, Landing
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
    Literal[
        "absent", "dissimilar", "disabled", "no_usage", "opted_out", "waited", "encoder", "store_slow", "store_down"
    ]
    | Unasked
    | Refusal
)
"""Why nothing is served from the cache."""

_OPEN: Final = ("absent", "no_usage")
"""Why the identical request may have no answer that a backend's next one would not mend."""
_CANDIDATES: Final = 8
"""Entries that are compared with a question, the nearest by cosine: enough for those that the checks refuse."""
_EXACT: Final = 1.0

_UNTIMED: Final = nullcontext()

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

    async def lookup_exact(
        self,
        asked: Asked,
        may: Directives,
        *,
        usage: bool = False,
        waiting: AbstractContextManager[object] = _UNTIMED,
    ) -> Hit | Miss:
        """Look for the identical request; when one is under way, wait for its answer.

        ``usage``: an answer that was taken from a stream without it will not do. ``waiting`` is entered for as long as
        somebody else's answer is awaited. The misses ``absent``, ``no_usage`` and ``waited`` are not counted yet:
        :meth:`lookup_similar` is next.
        """
        if not may.lookup:
            return self.miss("opted_out")
        found = await self._exact(asked, usage)
        if isinstance(found, Hit) or found.reason not in _OPEN or not may.store or self._is_timely(asked):
            return found
        return await self._in_turn(asked, found, usage, waiting)

    async def lookup_similar(
        self, asked: Asked, place: Place, without: Reason = "absent", *, usage: bool = False
    ) -> Hit | Miss:
        """Look for a question to which the answer is the same, where all else is the same.

        ``without``: the reason where there is none to compare with. ``usage``: as in :meth:`lookup_exact`.
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
        return self._best(reading, candidates, self._threshold(place), usage) if candidates else self.miss(without)

    async def store(self, asked: Asked, place: Place, body: bytes) -> None:
        """Keep a whole answer, and let those go who wait for it."""
        landing: Landing = "unkept"
        try:
            if (reason := await self._keep(asked, place, body)) is None:
                self.counts["store", "kept"] += 1
                landing = "kept"
            else:
                self.skip(reason)
        finally:
            self.release(asked, landing)

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

    def release(self, asked: Asked, landing: Landing = "unkept") -> None:
        """Let those go who wait for the answer to this request; after ``left``, one of them leads for the others."""
        self._flights.land(asked.exact, landing)

    async def _in_turn(
        self, asked: Asked, found: Miss, usage: bool, waiting: AbstractContextManager[object]
    ) -> Hit | Miss:
        """Take the lead, or wait for who has it, and then perhaps for the next one, as long as one request may."""
        until = asyncio.get_running_loop().time() + self._config.wait
        while not self._flights.board(asked.exact):
            with waiting:
                landing = await self._flights.wait(asked.exact, until)
            if landing is None:
                return Miss("waited")
            if landing == "unkept":
                return Miss(found.reason)  # nor would the next answer be kept: all go, none for the others
            if landing == "kept":
                again = await self._exact(asked, usage)
                if isinstance(again, Hit) or again.reason != "no_usage":
                    return again
                found = again
        return Miss(found.reason, leads=True)

    async def _exact(self, asked: Asked, usage: bool) -> Hit | Miss:
        entry = await self._bounded(self._store.get_exact(asked.exact))
        if isinstance(entry, str):
            return self.miss(entry)
        if entry is None:
            return Miss("absent")
        return Miss("no_usage") if usage and lacks_usage(entry.body) else self._hit(entry, "exact", _EXACT)

    def _best(
        self, reading: Reading, candidates: Sequence[tuple[float, Entry]], threshold: float, usage: bool
    ) -> Hit | Miss:
        """Choose the most similar candidate that nothing speaks against."""
        reason: Reason = "dissimilar"
        best: tuple[float, Entry] | None = None
        for cosine, entry in candidates:
            found = match(read(entry.question), reading, cosine, self._similarity, threshold)
            lacking: Reason | None = "no_usage" if usage and lacks_usage(entry.body) else None
            refusal = found.refusal or lacking
            if refusal is None:
                best = (
                    max(best, (found.similarity, entry), key=lambda one: one[0]) if best else (found.similarity, entry)
                )
            elif refusal != "dissimilar":
                self.counts["refused", refusal] += 1
                reason = refusal if reason == "dissimilar" else reason
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
