"""The engine in force, and how another one takes its place while requests are under way."""

from __future__ import annotations

import asyncio
import logging
import os
import weakref
from collections.abc import Awaitable, Callable

from waypost.build import build_engine
from waypost.config.load import Loaded, load
from waypost.config.redact import without_userinfo
from waypost.config.restart import needs_restart
from waypost.engine import Engine
from waypost.errors import ConfigError, Problem, WaypostError
from waypost.inference.encoder import Encoder
from waypost.observe import log as logs
from waypost.observe.telemetry import RequestObserver, Telemetry
from waypost.resources import Resources, load_resources

__all__ = ["Live"]

log = logging.getLogger(__name__)


class Live:
    """Holds one engine. A request keeps the engine that it began with; new requests get the newest."""

    def __init__(self, loaded: Loaded, resources: Resources, telemetry: Telemetry) -> None:
        self.loaded = loaded
        self.resources = resources
        self.telemetry = telemetry
        self.error = ""
        """Why the last reload was refused; empty when it was not."""
        self._veil = loaded.veil
        self.engine, observer = self._build(loaded, resources)
        telemetry.know(observer)
        self._watch_encoder()
        self._old_engines = 0
        self._lock = asyncio.Lock()

    @property
    def encoder(self) -> Encoder | None:
        """The shared encoder, where anything needs it."""
        return self.resources.encoder

    def current(self) -> Engine:
        """The engine for a request that begins now."""
        return self.engine

    @property
    def settled(self) -> bool:
        """Whether no request uses an old engine, and no other engine is about to take the place of this one."""
        return not self._old_engines and not self._lock.locked()

    async def reload(self, follow: Callable[[Loaded], Awaitable[None]], retire: Callable[[], None]) -> None:
        """Read the file again and put it in force; on any error the old configuration stays.

        ``follow`` has Envoy learn the new clusters and routes beside the old ones, before the engines are exchanged,
        and raises to refuse. ``retire`` is called once no request uses an old engine any more.
        """
        async with self._lock:
            try:
                await self._reload(follow, retire)
            except WaypostError as error:
                self._refused(str(error))
            except Exception as error:  # the edge of a background task, which must live to see the next file
                log.exception("reload failed inside waypost")
                self._refused(f"internal error: {error!r}")

    async def _reload(self, follow: Callable[[Loaded], Awaitable[None]], retire: Callable[[], None]) -> None:
        loaded = load(self.loaded.path, os.environ, workers=self.loaded.workers)
        self._veil = loaded.veil
        if loaded.digest != self.loaded.digest:
            self._require_hot(loaded)
            await self.apply(loaded, follow, retire)
            self.telemetry.metrics.reloaded(applied=True)
            log.info("configuration reloaded", extra={"event": "config_reloaded", "digest": loaded.digest})
        else:  # an edit that was refused has been taken back
            self.telemetry.metrics.last_reload.set(1)
        self.error = ""

    async def apply(
        self, loaded: Loaded, follow: Callable[[Loaded], Awaitable[None]], retire: Callable[[], None]
    ) -> None:
        """Put in force what somebody else has read and found hot. Raises WaypostError, and the old one stays."""
        resources = await load_resources(loaded.config, self.resources)
        engine, observer = await asyncio.to_thread(self._build, loaded, resources)
        await follow(loaded)
        self.resources = resources
        self._watch_encoder()
        self._exchange(engine, observer, retire)
        self.loaded = loaded
        logs.configure(loaded.config.observability.logs)

    async def close(self) -> None:
        """Keep the answers that are being kept, then free threads and files."""
        if cache := self.engine.cache:
            await cache.settle()
        await self.resources.close()

    def _refused(self, why: str) -> None:
        self.error = why = without_userinfo(self._veil(why))
        self.telemetry.metrics.reloaded(applied=False)
        for line in why.splitlines():
            log.error("reload refused, the old configuration stays: %s", line, extra={"event": "config_reload_failed"})

    def _require_hot(self, loaded: Loaded) -> None:
        keys = needs_restart(self.loaded.config, loaded.config)
        if keys:
            message = f"changed, but takes effect only at a restart: {', '.join(keys)}"
            raise ConfigError([Problem(str(loaded.path), 0, 0, "", message)])

    def _build(self, loaded: Loaded, having: Resources) -> tuple[Engine, RequestObserver]:
        metrics, observer = self.telemetry.metrics, self.telemetry.observer(loaded.config, loaded.digest)
        engine = build_engine(
            loaded.config,
            os.environ,
            encoder=having.encoder,
            store=metrics.store.measured(having.store) if having.store else None,
            tools=having.tools,
            observer=observer,
        )
        if engine.cache:
            engine.cache.told_skipped = lambda reason: metrics.cache.skipped.labels(reason).inc()
        return engine, observer

    def _watch_encoder(self) -> None:
        if self.encoder is not None:
            self.telemetry.metrics.watch_encoder(lambda: self.encoder.pending if self.encoder else 0)

    def _exchange(self, engine: Engine, observer: RequestObserver, retire: Callable[[], None]) -> None:
        # Every request holds its engine, so the engine's own end is the end of its last request.
        self._old_engines += 1
        weakref.finalize(self.engine, self._old_engine_ended, retire)
        self.engine = engine
        self.telemetry.know(observer)

    def _old_engine_ended(self, retire: Callable[[], None]) -> None:
        self._old_engines -= 1
        if not self._old_engines:
            retire()
