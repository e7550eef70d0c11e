"""ASGI applications on a port, inside our own event loop."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import uvicorn

from waypost.config.tls import ServerTls
from waypost.config.units import HostPort
from waypost.serve.prompt import PromptProtocol
from waypost.serve.tls import ssl_context

__all__ = ["HttpServer"]


_CONNECTIONS: Final = 256
"""One more is answered with 503."""
_IDLE_SECONDS: Final = 5
_LONGEST_HEAD: Final = 32 * 2**10
"""Bytes of a request line with all headers, when they do not come at once; asyncio reads 256 KiB at once."""


class HttpServer:
    """One uvicorn server. The address must be free (see :mod:`waypost.serve.ports`)."""

    def __init__(
        self,
        app: Any,  # noqa: ANN401  (uvicorn's own type of an application)
        address: HostPort,
        tls: ServerTls | None = None,
    ) -> None:
        config = uvicorn.Config(
            app,
            host=address.host,
            port=address.port,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=2,
            http=PromptProtocol,
            ws="none",
            ssl_context_factory=partial(_context, tls) if tls else None,
            limit_concurrency=_CONNECTIONS,
            timeout_keep_alive=_IDLE_SECONDS,
            h11_max_incomplete_event_size=_LONGEST_HEAD,
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


def _context(tls: ServerTls, *_: object) -> ssl.SSLContext:
    return ssl_context(tls)


class _Server(uvicorn.Server):
    """Leaves the process's signals to :mod:`waypost.serve.run`."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
