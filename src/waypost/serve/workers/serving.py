"""One worker from its first message to its end."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from pathlib import Path
from typing import Final

from waypost.config.load import Loaded, loads
from waypost.errors import WaypostError
from waypost.guard.health import states
from waypost.observe import log as logs
from waypost.observe.merged import count_in_files
from waypost.observe.metrics import Metrics
from waypost.observe.telemetry import Telemetry
from waypost.resources import load_resources
from waypost.serve.extproc.server import ExtProcServer
from waypost.serve.live import Live
from waypost.serve.processor import processor
from waypost.serve.workers.channel import Channel
from waypost.serve.workers.messages import (
    NOTICE_SECONDS,
    STATUS_SECONDS,
    Drain,
    Ready,
    Refused,
    Reload,
    Reloaded,
    Retired,
    Serve,
    Status,
    Written,
)

__all__ = ["serve"]

log = logging.getLogger(__name__)

_ALONE: Final = Drain(notice=NOTICE_SECONDS)
"""When somebody else than our supervisor ends us, or the supervisor is gone: Envoy asks how we are every second."""


async def serve(end: socket.socket, place: int) -> int:
    """Serve as worker number ``place`` what is asked for over ``end``; returns the exit code."""
    channel = await Channel.open(end)
    first = await channel.receive()
    if not isinstance(first, Serve):
        return 1
    count_in_files(place, Path(first.counts))
    try:
        worker = await _Worker.start(channel, first)
    except WaypostError as error:
        channel.send(Refused(why=str(error)))
        await channel.close()
        return error.exit_code
    await worker.run()
    await channel.close()
    return 0


class _Worker:
    """Serves, until it is told to end."""

    def __init__(self, channel: Channel, live: Live, server: ExtProcServer) -> None:
        self._channel = channel
        self._live = live
        self._server = server
        self._loop = asyncio.get_running_loop()

    @classmethod
    async def start(cls, channel: Channel, first: Serve) -> _Worker:
        """Load everything and listen. Raises WaypostError when something is missing."""
        loaded = _read(first.config)
        logs.configure(loaded.config.observability.logs)
        metrics = Metrics()
        with loaded.veil.over_errors():
            telemetry = Telemetry(metrics, loaded.config.observability)
            live = Live(loaded, await load_resources(loaded.config), telemetry)
            server = processor(loaded.config, first.address, live, metrics)
            await server.start()
        channel.send(Ready(address=server.address))
        return cls(channel, live, server)

    async def run(self) -> None:
        """Do what is asked for, and end in good order."""
        telling = asyncio.create_task(self._tell())
        obeying = asyncio.create_task(self._obey())
        self._loop.add_signal_handler(signal.SIGTERM, obeying.cancel)
        (drain,) = await asyncio.gather(obeying, return_exceptions=True)
        if isinstance(drain, Exception):
            log.error("this worker failed inside waypost, drains and ends", exc_info=drain)
        await self._end(drain if isinstance(drain, Drain) else _ALONE)
        telling.cancel()

    async def _obey(self) -> Drain:
        while (order := await self._channel.receive()) is not None:
            match order:
                case Reload():
                    await self._reload(order)
                case Drain():
                    return order
        log.error("the supervisor is gone; this worker drains and ends")
        return _ALONE

    async def _reload(self, order: Reload) -> None:
        try:
            loaded = _read(order.config)
            with loaded.veil.over_errors():
                await self._live.apply(loaded, _nobody_follows, self._retired)
        except WaypostError as error:
            self._channel.send(Refused(why=str(error)))
        except Exception as error:  # the edge of a background task
            log.exception("reload failed inside waypost")
            self._channel.send(Refused(why=f"internal error: {error!r}"))
        else:
            self._channel.send(Reloaded(settled=self._live.settled))

    def _retired(self) -> None:
        # Called wherever the last reference to an engine is dropped, perhaps in another thread.
        self._loop.call_soon_threadsafe(self._channel.send, Retired())

    async def _tell(self) -> None:
        while True:
            self._channel.send(self._status())
            await asyncio.sleep(STATUS_SECONDS)

    def _status(self) -> Status:
        engine, encoder = self._live.engine, self._live.encoder
        guards = states(engine.config, engine.watch.health)
        failing = {str(name): state.error for name, state in guards.items() if state.error}
        counts = engine.cache.counts if engine.cache else {}
        cache = tuple((what, why, count) for (what, why), count in counts.items())
        return Status(pending=encoder.pending if encoder else 0, failing=failing, cache=cache)

    async def _end(self, drain: Drain) -> None:
        await self._server.drain()
        await asyncio.sleep(drain.notice)
        await self._server.stop(self._live.loaded.config.envoy.drain_timeout)
        await self._live.close()
        await asyncio.to_thread(self._live.telemetry.close)


def _read(written: Written) -> Loaded:
    return loads(written.text, written.path, os.environ)


async def _nobody_follows(_: Loaded) -> None:
    """Leave Envoy to the supervisor."""
