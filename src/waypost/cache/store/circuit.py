"""Calls to a server that may be down: bounded in time, and for a moment not even tried."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeAlias

from waypost.cache.store.base import StoreUnavailable

__all__ = ["Circuit"]

log = logging.getLogger(__name__)

Errors: TypeAlias = tuple[type[Exception], ...]

_TOLERATED: Final = 3
"""Failures in a row, so that one slow answer does not empty the cache for everybody."""
_PAUSE: Final = 0.5
"""Seconds. A server that came back is used again so soon."""
_QUIET: Final = 60.0
"""Seconds between two errors that are logged: what fails does so for each request."""
_NEARLY: Final = 0.9
"""The caller has a bound of its own, as long as ours and begun a little earlier: its cancellation comes first."""


class Circuit:
    """Turns the errors of a driver into StoreUnavailable, and logs one a minute.

    A server that does not answer would cost every request the whole timeout. After some failures in a row calls are
    refused at once; every half a second one of them tries.
    """

    def __init__(
        self, *, down: Errors, refused: Errors, timeout: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``refused`` is the server's answer; ``down``, and an error that is neither, counts against the server.

        ``timeout`` of one call in seconds.
        """
        self._down: Errors = (*down, TimeoutError)
        self._refused = refused
        self._timeout = timeout
        self._clock = clock
        self._failures = 0
        self._paused_until = 0.0
        self._quiet_until = 0.0

    @asynccontextmanager
    async def call(self) -> AsyncIterator[None]:
        """Hold one call to the server. Raises StoreUnavailable."""
        started = self._clock()
        self._enter(started)
        try:
            async with asyncio.timeout(self._timeout):
                yield
        except self._down as error:
            self._failed()
            raise self._unavailable("does not answer", error) from error
        except self._refused as error:
            raise self._unavailable("refuses", error) from error
        except asyncio.CancelledError:
            if self._clock() - started >= _NEARLY * self._timeout:
                self._failed()
            raise
        except Exception as error:  # drivers raise more than they document, and no request may fail for it
            self._failed()
            raise self._unavailable(f"fails with {type(error).__name__}", error) from error
        self._failures = 0
        self._paused_until = 0.0

    def _enter(self, now: float) -> None:
        if now < self._paused_until:
            raise StoreUnavailable("the cache's server did not answer a moment ago")
        if self._failures >= _TOLERATED:
            self._paused_until = now + _PAUSE  # this call tries, the others go on without

    def _unavailable(self, what: str, error: Exception) -> StoreUnavailable:
        slow = isinstance(error, TimeoutError)
        told = " ".join(str(error).split()) or ("too slow" if slow else type(error).__name__)
        unavailable = StoreUnavailable(f"the cache's server {what}: {told}")
        now = self._clock()
        if now >= self._quiet_until and not slow:  # the slow ones are counted as such
            self._quiet_until = now + _QUIET
            log.warning("%s; requests go on without the cache", unavailable)
        return unavailable

    def _failed(self) -> None:
        self._failures += 1
        if self._failures >= _TOLERATED:
            self._paused_until = self._clock() + _PAUSE
