"""What the cache needs of a store. ``tests/contract/cache_store`` says it in code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from waypost.cache.entry import Entry
from waypost.errors import WaypostError

__all__ = ["Selector", "Store", "StoreStats", "StoreUnavailable"]


class StoreUnavailable(WaypostError):
    """The store cannot be reached or does not answer; the cache takes it for a miss."""


@dataclass(frozen=True, slots=True)
class Selector:
    """Which entries are meant: those for which everything that is given holds; without anything, all."""

    decision: str | None = None
    owner: str | None = None
    """Digest, from :func:`waypost.cache.key.owner_digest`."""
    question: str | None = None
    """The whole text, as it was asked."""

    def holds(self, entry: Entry) -> bool:
        """Tell whether ``entry`` is meant."""
        return (
            self.decision in (None, entry.decision)
            and self.owner in (None, entry.owner)
            and self.question in (None, entry.question)
        )


@dataclass(frozen=True, slots=True)
class StoreStats:
    """What a store holds now, and what it dropped since it was opened."""

    entries: int
    bytes: int
    """Estimated."""
    evicted: int = 0
    """Dropped for want of room."""
    expired: int = 0


class Store(Protocol):
    """Keeps entries by the digest of their request, and finds similar ones within a partition.

    Every method may raise StoreUnavailable and may be cancelled. What has expired is never returned. Stores are
    shared by concurrent requests of one event loop.
    """

    @property
    def name(self) -> str:
        """The backend's name in the configuration and in metrics."""
        ...

    async def get_exact(self, exact: str) -> Entry | None:
        """Return the answer to the identical request."""
        ...

    async def search(self, partition: str, vector: NDArray[np.floating], k: int) -> Sequence[tuple[float, Entry]]:
        """Return up to ``k`` entries of ``partition`` with their cosines to ``vector``, the most similar first."""
        ...

    async def put(self, entry: Entry) -> None:
        """Keep ``entry``, in place of one for the identical request; others may be dropped for it."""
        ...

    async def invalidate(self, selector: Selector) -> int:
        """Drop the entries that are meant and return their number."""
        ...

    async def stats(self) -> StoreStats:
        """Count."""
        ...

    async def close(self) -> None:
        """Write what is not yet written and let go of everything."""
        ...
