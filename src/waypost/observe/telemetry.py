"""The engine's observer: metrics always, traces, records and log lines as the configuration asks.

One :class:`Telemetry` lives as long as the process; each configuration gets its own observer from it, so that a
request which outlives a reload is still recorded under the configuration that it was served by.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from waypost.config.observing import Observability
from waypost.config.schema import Config
from waypost.observe.definitions import definitions_of
from waypost.observe.events import log_request
from waypost.observe.metrics import Metrics
from waypost.observe.prices import Prices
from waypost.observe.records import Described, RecordFile
from waypost.observe.trace import follow, join
from waypost.types import Record, RequestHead, Trace

if TYPE_CHECKING:
    from waypost.observe.otlp import Traces

__all__ = ["RequestObserver", "Telemetry"]

_LAST_SECONDS: Final = 2.0


class Telemetry:
    """The registry, the connection to the collector and the file of records.

    Raises SetupError when what ``settings`` ask for is not there. A reload changes neither collector nor file.
    """

    def __init__(self, metrics: Metrics, settings: Observability) -> None:
        self.metrics = metrics
        self.traces: Traces | None = None
        if settings.tracing:
            from waypost.observe.otlp import Traces

            self.traces = Traces(settings.tracing, partial(self._lost, "traces"))
        self.records = RecordFile(settings.records, partial(self._lost, "records")) if settings.records else None

    def observer(self, config: Config, digest: str) -> RequestObserver:
        """Make the observer of one configuration."""
        return RequestObserver(self, config, digest)

    def know(self, observer: RequestObserver) -> None:
        """Count under the names and prices of the configuration that is in force from now on."""
        self.metrics.know(observer.described.models, observer.described.prices)

    def close(self, seconds: float = _LAST_SECONDS) -> None:
        """Send and write what waits, for at most so long each."""
        for sink in (self.traces, self.records):
            if sink is not None:
                sink.close(seconds)

    def _lost(self, sink: str, count: int) -> None:
        self.metrics.observer_lost.labels(sink).inc(count)


class RequestObserver:
    """The observer of one configuration. Quick, and never raises."""

    def __init__(self, telemetry: Telemetry, config: Config, digest: str) -> None:
        settings = config.observability
        self._telemetry = telemetry
        self._sample = settings.tracing.sample if settings.tracing else 0.0
        self._requests = settings.logs.requests
        names = frozenset((*config.routing.virtual_models, *config.models))
        prices = Prices.of(config, settings.baseline_model)
        self.described = Described(digest, definitions_of(config), prices, names)

    def begin(self, head: RequestHead) -> Trace | None:
        """Take note of a request that begins, and say how its trace goes on."""
        self._telemetry.metrics.begin()
        return join(head.headers, self._sample) if self._telemetry.traces else follow(head.headers)

    def observe(self, record: Record) -> None:
        """Take one finished request."""
        self._telemetry.metrics.observe(record)
        log_request(record, self._requests, self._label, self.described.prices)
        if self._telemetry.traces:
            self._telemetry.traces.offer(record)
        if self._telemetry.records and record.requested_model:
            self._telemetry.records.offer(record, self.described)

    def _label(self, model: str) -> str:
        return model if model in self.described.models else "other"
