"""``/api/v1/cache``: what the cache holds and did, and how to make it forget."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from waypost.cache.cache import Cache
from waypost.cache.key import owner_digest
from waypost.cache.store.base import Selector, StoreUnavailable
from waypost.serve.api.errors import Conflict, Unavailable
from waypost.serve.api.model import Ask, Tell
from waypost.serve.api.services import EngineNow, Serving

__all__ = ["changing", "reading"]

reading = APIRouter(tags=["cache"])
changing = APIRouter(tags=["cache"])


async def _cache(engine: EngineNow) -> Cache:
    if engine.cache:
        return engine.cache
    raise Conflict("Nothing is cached: the configuration has no section cache.", code="cache_off")


CacheNow = Annotated[Cache, Depends(_cache)]


class CacheStats(Tell):
    """The store, and what came of asking it since the configuration came into force, in the processes that serve."""

    backend: str
    entries: int
    bytes: int
    """Estimated."""
    evicted: int
    """Dropped for want of room, since the store was opened."""
    expired: int
    hits: dict[str, int]
    """By layer."""
    misses: dict[str, int]
    """By reason."""
    refused: dict[str, int]
    """Candidates that were similar enough, by the check that refused them."""


class Invalidation(Ask):
    """Which entries to drop: those for which everything that is given holds; without anything, all."""

    decision: str | None = Field(None, max_length=200)
    user: str | None = Field(None, max_length=4096)
    """The value of the header that names the user or tenant."""
    text: str | None = Field(None, max_length=100_000)
    """The whole question, as it was asked."""


class Invalidated(Tell):
    """What was dropped."""

    dropped: int


@reading.get("/cache/stats")
async def stats(cache: CacheNow, services: Serving) -> CacheStats:
    """Count."""
    try:
        found = await cache.held()
    except StoreUnavailable as error:
        raise Unavailable(f"The cache's store does not answer: {error}", code="cache_store_down") from error
    counts: dict[str, dict[str, int]] = {"hit": {}, "miss": {}, "refused": {}}
    for (what, why), count in services.cache_counts().items():
        if what in counts:
            counts[what][why] = count
    return CacheStats(
        backend=cache.backend,
        entries=found.entries,
        bytes=found.bytes,
        evicted=found.evicted,
        expired=found.expired,
        hits=counts["hit"],
        misses=counts["miss"],
        refused=counts["refused"],
    )


@changing.post("/cache/invalidate")
async def invalidate(body: Invalidation, cache: CacheNow) -> Invalidated:
    """Drop entries."""
    owner = None if body.user is None else owner_digest(body.user)
    try:
        dropped = await cache.forget(Selector(decision=body.decision, owner=owner, question=body.text))
    except StoreUnavailable as error:
        raise Unavailable(f"The cache's store does not answer: {error}", code="cache_store_down") from error
    return Invalidated(dropped=dropped)
