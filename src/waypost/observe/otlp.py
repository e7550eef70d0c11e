"""Spans on their way to a collector, over OTLP, by OpenTelemetry's own exporter. Needs the extra ``otel``.

Nothing of OpenTelemetry is imported before the first traced request is over, and then in the thread that sends.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from waypost import __version__
from waypost.config.observing import Tracing
from waypost.errors import SetupError
from waypost.observe.background import Background
from waypost.observe.spans import Span, spans_of
from waypost.types import Record, Trace

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

__all__ = ["Traces"]

_SEND_SECONDS: Final = 10.0
_NANO: Final = 1_000_000_000


class Traces:
    """Sends the spans of finished requests. Raises SetupError when the extra is not installed."""

    def __init__(self, settings: Tracing, lost: Callable[[int], object]) -> None:
        _require_extra()
        self.settings = settings
        self._sender: _Sender | None = None
        self._background = Background("traces", self._send, size=settings.queue, lost=lost)

    def offer(self, record: Record) -> None:
        """Queue the spans of a request that is sampled. Never blocks."""
        if record.trace is not None and record.trace.sampled:
            self._background.offer(record)

    def close(self, seconds: float) -> None:
        """Send what waits, for at most that long."""
        self._background.close(seconds)
        if self._sender is not None:
            self._sender.close()

    def _send(self, records: list[Record]) -> None:
        if self._sender is None:
            self._sender = _Sender(self.settings)
        self._sender.send(records)


class _Sender:
    """The exporter; made and used in the thread that sends."""

    def __init__(self, settings: Tracing) -> None:
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope

        # It tells every retry on a logger of its own; what counts for an operator is what was lost, and we say that.
        logging.getLogger("opentelemetry.exporter").setLevel(logging.CRITICAL)
        self._exporter = OTLPSpanExporter(settings.endpoint, timeout=_SEND_SECONDS)
        self._resource = Resource.create({"service.name": settings.service_name, "service.version": __version__})
        self._scope = InstrumentationScope("waypost", __version__)
        self._endpoint = settings.endpoint

    def send(self, records: Sequence[Record]) -> None:
        """Raise ConnectionError when the collector did not take them."""
        from opentelemetry.sdk.trace.export import SpanExportResult

        spans = [
            self._readable(span, record.trace)
            for record in records
            if record.trace is not None
            for span in spans_of(record, record.trace)
        ]
        if self._exporter.export(spans) is not SpanExportResult.SUCCESS:
            raise ConnectionError(f"the collector at {self._endpoint} took no spans")

    def close(self) -> None:
        self._exporter.shutdown()

    def _readable(self, span: Span, trace: Trace) -> ReadableSpan:
        from opentelemetry.sdk.trace import Event, ReadableSpan
        from opentelemetry.trace import SpanKind, Status, StatusCode

        return ReadableSpan(
            name=span.name,
            context=_context(trace.trace_id, span.span_id, remote=False),
            parent=_context(trace.trace_id, span.parent_id, remote=span.kind == "server") if span.parent_id else None,
            resource=self._resource,
            attributes=dict(span.attributes),
            events=[Event(name, timestamp=_nanoseconds(moment)) for name, moment in span.events],
            kind=SpanKind[span.kind.upper()],
            status=Status(StatusCode.ERROR, span.error) if span.error else Status(),
            start_time=_nanoseconds(span.start),
            end_time=_nanoseconds(span.end),
            instrumentation_scope=self._scope,
        )


def _context(trace_id: str, span_id: str, *, remote: bool) -> Any:  # noqa: ANN401  (a SpanContext, imported late)
    from opentelemetry.trace import SpanContext, TraceFlags

    return SpanContext(int(trace_id, 16), int(span_id, 16), remote, TraceFlags(TraceFlags.SAMPLED))


def _nanoseconds(moment: float) -> int:
    return int(moment * _NANO)


def _require_extra() -> None:
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        distribution("opentelemetry-exporter-otlp-proto-grpc")
    except PackageNotFoundError:
        raise SetupError(
            "tracing needs OpenTelemetry: pip install 'waypost[otel]', or remove observability.tracing"
        ) from None
