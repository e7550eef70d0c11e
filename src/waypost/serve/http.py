"""ASGI applications on a port, inside our own event loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import uvicorn

from waypost.config.units import HostPort

__all__ = ["HttpServer"]


class HttpServer:
    """One uvicorn server. The address must be free (see :mod:`waypost.serve.ports`)."""

    def __init__(self, app: Any, address: HostPort) -> None:  # noqa: ANN401  (uvicorn's own type of an application)
        config = uvicorn.Config(
            app,
            host=address.host,
            port=address.port,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=2,
        )
        self._server = _Server(config)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen; returns when connections are accepted."""
        self._task = asyncio.create_task(self._server.serve())
        while not self._server.started:
            if self._task.done():
                self._task.result()
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Close the listener and wait for running answers, two seconds at most."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task


class _Server(uvicorn.Server):
    """Leaves the process's signals to :mod:`waypost.serve.run`."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
