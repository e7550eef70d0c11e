"""Children that are started again when they end by themselves."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, Generic, Protocol, TypeVar

from waypost.errors import WaypostError

__all__ = ["Supervised"]

log = logging.getLogger(__name__)

_BACK_OFF_SECONDS: Final = (0.0, 0.5, 1.0, 2.0, 5.0)
_STEADY_SECONDS: Final = 60.0
"""A child that ran this long has recovered: its next end counts as a first one."""


class _Child(Protocol):
    async def wait(self) -> int: ...

    async def kill(self) -> int: ...


C = TypeVar("C", bound=_Child)


class Supervised(Generic[C]):
    """One child process and its successors. ``start`` returns when the child is ready, or raises WaypostError."""

    def __init__(self, name: str, start: Callable[[], Awaitable[C]], count_restart: Callable[[], None]) -> None:
        self.name = name
        self.child: C | None = None
        """The running child; None while there is none."""
        self._start = start
        self._count_restart = count_restart
        self._keeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the child, and keep one running from then on."""
        self.child = await self._start()
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.name}")

    def release(self) -> C | None:
        """Start no successor any more; returns the running child for an orderly end."""
        if self._keeper is not None:
            self._keeper.cancel()
        return self.child

    async def kill(self) -> None:
        """End it at once, without a successor."""
        if child := self.release():
            await child.kill()

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            began = loop.time()
            if self.child is not None:
                code = await self.child.wait()
                self.child = None
                log.error("%s ended with code %d and is started again", self.name, code)
            failures = 1 if loop.time() - began > _STEADY_SECONDS else failures + 1
            await asyncio.sleep(_BACK_OFF_SECONDS[min(failures, len(_BACK_OFF_SECONDS)) - 1])
            self._count_restart()
            try:
                self.child = await self._start()
            except WaypostError as error:
                log.error("%s could not be started again: %s", self.name, error)  # noqa: TRY400
            except Exception:  # the edge of a background task, which must go on trying
                log.exception("%s could not be started again", self.name)
