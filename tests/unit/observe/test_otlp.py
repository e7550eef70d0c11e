"""Spans arrive whole at a collector: here one that only keeps what it is sent."""

from __future__ import annotations

import queue
import subprocess
import sys
from concurrent import futures
from dataclasses import replace

import grpc
import pytest

from waypost.config.observing import Tracing
from waypost.errors import SetupError

trace_service = pytest.importorskip(
    "opentelemetry.proto.collector.trace.v1.trace_service_pb2", reason="the extra otel is not installed"
)


class Collector:
    """An OTLP receiver over gRPC."""

    def __init__(self) -> None:
        self.batches: queue.Queue = queue.Queue()
        self.failing = False
        self.server = grpc.server(futures.ThreadPoolExecutor(1))
        export = grpc.unary_unary_rpc_method_handler(
            self._export,
            request_deserializer=trace_service.ExportTraceServiceRequest.FromString,
            response_serializer=trace_service.ExportTraceServiceResponse.SerializeToString,
        )
        service = "opentelemetry.proto.collector.trace.v1.TraceService"
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"Export": export}),))
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _export(self, request, context):
        if self.failing:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no")
        self.batches.put(request)
        return trace_service.ExportTraceServiceResponse()


@pytest.fixture
def collector():
    found = Collector()
    yield found
    found.server.stop(None).wait()


@pytest.fixture
def traces(collector):
    from waypost.observe.otlp import Traces

    lost = []
    made = Traces(Tracing(endpoint=collector.endpoint, service_name="my-router"), lost.append)
    made.lost = lost
    yield made
    made.close(30)


def test_spans_arrive_whole(traces, collector, record):
    traces.offer(record)
    traces.close(60)
    (resource,) = collector.batches.get_nowait().resource_spans
    attributes = {each.key: each.value.string_value for each in resource.resource.attributes}
    assert attributes["service.name"] == "my-router"
    (scope,) = resource.scope_spans
    assert scope.scope.name == "waypost"
    spans = {span.name.removeprefix("semantic_router."): span for span in scope.spans}
    root, upstream = spans["request.received"], spans["upstream.request"]
    assert {span.trace_id.hex() for span in spans.values()} == {record.trace.trace_id}
    assert (root.parent_span_id.hex(), root.span_id.hex()) == (record.trace.parent_id, record.trace.span_id)
    assert {span.parent_span_id for span in spans.values() if span is not root} == {root.span_id}
    assert upstream.span_id.hex() == record.trace.upstream_id
    assert (root.kind, upstream.kind) == (2, 3)  # SERVER, CLIENT
    assert root.end_time_unix_nano - root.start_time_unix_nano == pytest.approx(1.5e9, abs=1e3)
    assert [event.name for event in upstream.events] == ["answer.head", "answer.first_token"]
    values = {each.key: each.value for each in upstream.attributes}
    assert values["gen_ai.usage.output_tokens"].int_value == 11
    assert values["gen_ai.request.model"].string_value == "large"


def test_what_is_not_sampled_is_not_sent(traces, collector, record):
    traces.offer(replace(record, trace=replace(record.trace, sampled=False)))
    traces.offer(replace(record, trace=None))
    traces.close(60)
    assert collector.batches.empty()
    assert traces.lost == []


def test_what_the_collector_refuses_is_counted(traces, collector, record, caplog):
    collector.failing = True
    traces.offer(record)
    traces.close(60)
    assert sum(traces.lost) == 1


def test_without_the_extra_the_start_is_refused(monkeypatch):
    from importlib import metadata

    from waypost.observe.otlp import Traces

    def missing(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)
    with pytest.raises(SetupError, match=r"waypost\[otel\]"):
        Traces(Tracing(), print)


def test_nothing_of_it_is_imported_before_a_request_was_traced():
    code = (
        "import sys, waypost.observe.telemetry, waypost.observe.otlp as otlp\n"
        "from waypost.config.observing import Tracing\n"
        "otlp.Traces(Tracing(), print).close(5)\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n"
