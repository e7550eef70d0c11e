"""Everything that ``waypost serve`` runs: started in order, and drained in the opposite order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import httpx

from waypost.config.load import Loaded
from waypost.config.schema import Config, Demo
from waypost.config.units import HostPort
from waypost.errors import WaypostError
from waypost.guard.health import states
from waypost.observe.metrics import Metrics
from waypost.observe.telemetry import Telemetry
from waypost.resources import load_resources
from waypost.serve import demo_llm, endpoints
from waypost.serve.api.app import api_app
from waypost.serve.api.metrics import metrics_app
from waypost.serve.api.services import Services
from waypost.serve.api.status import Status
from waypost.serve.api.store import ConfigStore
from waypost.serve.child import Child, without_secrets
from waypost.serve.envoy.admin import Admin
from waypost.serve.envoy.process import EnvoyProcess
from waypost.serve.extproc.server import ExtProcServer
from waypost.serve.http import HttpServer
from waypost.serve.live import Live
from waypost.serve.ports import require_free
from waypost.serve.processor import processor
from waypost.serve.supervise import Supervised
from waypost.serve.workers.messages import NOTICE_SECONDS
from waypost.serve.workers.pool import Workers

__all__ = ["Router"]

log = logging.getLogger(__name__)

_DEMO_START_SECONDS: Final = 60.0
_DEMO_STOP_SECONDS: Final = 3.0
_EXTPROC_GRACE_SECONDS: Final = 1.0


class Router:
    """One router. ``start`` raises SetupError when something is missing; ``drain`` or ``kill`` it whatever happened.

    ``workers``: how many processes serve ExtProc. One: this one does; more: this one supervises them.
    """

    def __init__(self, loaded: Loaded, run_dir: Path, workers: int = 1) -> None:
        self.metrics = Metrics()
        self._telemetry = Telemetry(self.metrics, loaded.config.observability)
        self._loaded = loaded
        self._config: Config = loaded.config
        self._run_dir = run_dir
        self._wanted = loaded
        """What Envoy is to follow."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._retiring: asyncio.Task[None] | None = None
        self._draining = False
        self._http: list[HttpServer] = []
        self._live: Live | None = None
        self._store: ConfigStore | None = None
        self._extproc: ExtProcServer | None = None
        restarts = self.metrics.child_restarts
        self._envoy = Supervised("Envoy", self._start_envoy, restarts.labels("envoy").inc)
        self._demo = Supervised("the demo LLM", self._start_demo, restarts.labels("demo_llm").inc)
        self._watching: asyncio.Task[None] | None = None
        self._workers: Workers | None = None
        if workers > 1:
            count = restarts.labels("worker").inc
            self._workers = Workers(workers, loaded, run_dir, count_restart=count, retired=self._retire)
            self._count_workers(self._workers)

    @property
    def live(self) -> Live:
        """The engine in force; only after :meth:`start`."""
        if self._live is None:
            raise RuntimeError("the router was not started")
        return self._live

    async def start(self) -> None:
        """Start every part; returns when requests are served."""
        self._loop = asyncio.get_running_loop()
        self._require_ports()
        await self._start_http()
        if not self._config.demo:
            await self._start_own()
            return
        demo = asyncio.create_task(self._demo.start())
        try:
            await self._start_own()
            await demo
        except BaseException:
            demo.cancel()
            with contextlib.suppress(asyncio.CancelledError, WaypostError):
                await demo
            raise

    async def _start_own(self) -> None:
        resources = await load_resources(self._config)
        self._live = Live(self._loaded, resources, self._telemetry)
        self._store = ConfigStore(self._live, self.reload, os.environ)
        await (self._workers.start() if self._workers else self._start_extproc(self._live))
        if self._config.envoy.enabled:
            await self._envoy.start()
            watching = endpoints.watch(self._admin, lambda: self._in_force, self.metrics.endpoints.tell)
            self._watching = asyncio.create_task(watching, name="watch the endpoints")

    async def reload(self) -> None:
        """Put the file's present content in force, if it is right."""
        await self.live.reload(self._follow, self._retire)
        self._retire()

    async def drain(self) -> None:
        """Let running answers finish, then stop every part."""
        self._draining = True
        self._stop_watching()
        if self._extproc:
            await self._extproc.drain()
        if envoy := self._envoy.release():
            await envoy.drain(self._in_force.config.envoy.drain_timeout)
        if self._workers:
            await self._workers.drain(self._in_force.config.envoy.drain_timeout, announced=envoy is not None)
        if self._extproc and self._config.envoy.enabled:
            await self._extproc.stop(_EXTPROC_GRACE_SECONDS)
        elif self._extproc:  # whose Envoy has yet to hear that we drain
            await asyncio.sleep(NOTICE_SECONDS)
            await self._extproc.stop(self._in_force.config.envoy.drain_timeout)
        if demo := self._demo.release():
            await demo.stop(_DEMO_STOP_SECONDS)
        for server in self._http:
            await server.stop()
        if self._live:
            await self._live.close()
        await asyncio.to_thread(self._telemetry.close)

    async def kill(self) -> None:
        """End every child at once."""
        self._stop_watching()
        await self._envoy.kill()
        await self._demo.kill()
        if self._workers:
            await self._workers.kill()

    def status(self) -> Status:
        """What ``/ready`` tells."""
        live = self._live
        checks = {"router": live is not None and not self._draining}
        if self._config.envoy.enabled:
            checks["envoy"] = self._envoy.child is not None
        if self._config.demo:
            checks["demo_llm"] = self._demo.child is not None
        guards = states(live.engine.config, live.engine.watch.health) if live else {}
        workers = self._workers
        if workers:
            checks["workers"] = workers.alive > 0
            guards = {name: replace(state, error=workers.failing(name)) for name, state in guards.items()}
        checks |= {f"{name}_guard": not state.error for name, state in guards.items() if state.blocks}
        told: dict[str, str] = {name: state.error or "ok" for name, state in guards.items()}
        alive = (workers.alive, workers.count) if workers else None
        return Status(checks, self._in_force.digest, live.error if live else "", told, alive)

    @property
    def processors(self) -> tuple[HostPort, ...]:
        """The ExtProc servers that Envoy spreads its streams over."""
        return tuple(self._workers.addresses) if self._workers else (self._config.listeners.extproc,)

    @property
    def _in_force(self) -> Loaded:
        return self._live.loaded if self._live else self._loaded

    def _stop_watching(self) -> None:
        if self._watching:
            self._watching.cancel()

    def _admin(self) -> Admin | None:
        """Of our Envoy, while it runs."""
        return envoy.admin if (envoy := self._envoy.child) else None

    def _count_workers(self, workers: Workers) -> None:
        self.metrics.merge(workers.counts)
        self.metrics.workers.set_function(lambda: workers.alive)
        self.metrics.watch_encoder(lambda: workers.pending, "workers'")

    def _require_ports(self) -> None:
        listeners = self._config.listeners
        wanted = {f"listeners.{name}": getattr(listeners, name) for name in ("api", "metrics")}
        if self._config.envoy.enabled:
            wanted["listeners.http"] = listeners.http
        if self._config.demo:
            wanted["demo.listen"] = self._config.demo.listen
        for name, address in (*wanted.items(), *(("listeners.extproc", address) for address in self.processors)):
            require_free(name, address)

    async def _start_http(self) -> None:
        listeners, tls = self._config.listeners, self._config.tls
        self._http = [
            HttpServer(api_app(self._services(), os.environ), listeners.api, tls.api),
            HttpServer(metrics_app(self.metrics, self._services()), listeners.metrics, tls.metrics),
        ]
        for server in self._http:
            await server.start()

    def _services(self) -> Services:
        return Services(
            status=self.status,
            engine_now=lambda: self._live.current() if self._live else None,
            encoder=lambda: self._live.encoder if self._live else None,
            cache_counts=self._cache_counts,
            store=lambda: self._store,
            admin=self._admin,
            metrics=self.metrics.render,
            settings=self._config.api,
            address=self._config.listeners.api,
        )

    def _cache_counts(self) -> Mapping[tuple[str, str], int]:
        if self._workers:
            return self._workers.cache_counts
        cache = self._live.engine.cache if self._live else None
        return cache.counts if cache else {}

    async def _start_extproc(self, live: Live) -> None:
        self._extproc = processor(self._config, self._config.listeners.extproc, live, self.metrics)
        await self._extproc.start()

    async def _start_envoy(self) -> EnvoyProcess:
        loaded = self._wanted
        with loaded.veil.over_errors():  # at a restart, the log shows them
            envoy = await EnvoyProcess.start(self._run_dir / "envoy", loaded.config, self.processors)
            try:
                while loaded is not self._wanted:  # it was reloaded while this one started
                    loaded = self._wanted
                    await envoy.apply(loaded.config, self.processors)
            except BaseException:
                await envoy.kill()
                raise
        return envoy

    async def _follow(self, loaded: Loaded) -> None:
        if envoy := self._envoy.child:
            await envoy.apply(loaded.config, self.processors)
        self._wanted = loaded
        if self._workers:
            await self._workers.reload(loaded)

    def _retire(self) -> None:
        """Have Envoy forget the old models, if no request anywhere may still choose one of them.

        Called wherever the last reference to an engine is dropped, perhaps in another thread.
        """
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._forget_models)

    def _forget_models(self) -> None:
        settled = self.live.settled and (self._workers is None or self._workers.settled)
        if settled and not self._draining and (envoy := self._envoy.child):
            self._retiring = asyncio.create_task(self._retired(envoy), name="retire models")

    async def _retired(self, envoy: EnvoyProcess) -> None:
        try:
            await envoy.retire()
        except WaypostError as error:
            log.warning("Envoy still knows models that nobody chooses any more: %s", error)

    async def _start_demo(self) -> Child:
        demo = self._config.demo or Demo()
        demo_llm.weights()
        arguments = demo_llm.command(demo.listen.host, demo.listen.port, demo.threads, demo.max_tokens)
        command, log = [sys.executable, *arguments], self._run_dir / "demo-llm.log"
        child = await Child.spawn("the demo LLM", command, log, without_secrets(os.environ))
        try:
            async with httpx.AsyncClient(base_url=f"http://{demo.listen}", trust_env=False) as client:
                await child.until(partial(_healthy, client), _DEMO_START_SECONDS)
        except BaseException:
            await child.kill()
            raise
        return child


async def _healthy(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/health")).is_success
    except httpx.TransportError:
        return False
