"""The observer of a configuration: it hands each request on to what is configured, and to nothing else."""

from __future__ import annotations

import json
import logging
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from waypost.observe.metrics import Metrics
from waypost.observe.telemetry import Telemetry
from waypost.types import Record, RequestHead

HEAD = RequestHead("POST", "/v1/chat/completions", {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"})


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def open_telemetry(metrics, make_config):
    """``telemetry, config = open_telemetry(records={…})``."""
    opened = []

    def make(**observability):
        config = make_config(observability=observability)
        opened.append(Telemetry(metrics, config.observability))
        return opened[-1], config

    yield make
    for telemetry in opened:
        telemetry.close(30)


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    families = text_string_to_metric_families(metrics.render().decode())
    found = [s.value for f in families for s in f.samples if s.name == name and labels.items() <= s.labels.items()]
    return found[0] if found else None


def test_by_default_it_only_counts(open_telemetry, metrics, record, caplog):
    telemetry, config = open_telemetry()
    observer = telemetry.observer(config, "c0ffee")
    telemetry.know(observer)
    with caplog.at_level(logging.DEBUG, "waypost"):
        trace = observer.begin(HEAD)
        observer.observe(record)
    assert (trace.trace_id, trace.set_headers) == ("a" * 32, ())
    assert value(metrics, "llm_model_requests_total", model="MoM") == 1
    assert value(metrics, "llm_model_cost_total", model="large") == pytest.approx(3.000066)
    assert value(metrics, "waypost_requests_active") == 0
    assert caplog.records == []


def test_records_tell_the_configuration_that_a_request_was_served_by(open_telemetry, record, tmp_path):
    path = tmp_path / "records.jsonl"
    telemetry, config = open_telemetry(records={"path": str(path)})
    old, new = telemetry.observer(config, "old"), telemetry.observer(config, "new")
    telemetry.know(new)
    old.observe(record)
    new.observe(replace(record, requested_model="unheard-of"))
    new.observe(Record("/v1/models", "", 200))
    telemetry.close(30)
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [line.get("of") for line in lines] == [None, "old", None, "new"]
    assert "unheard-of" not in path.read_text("utf-8")


def test_logs_bound_what_a_client_named(open_telemetry, record, caplog):
    telemetry, config = open_telemetry(logs={"requests": "refused"})
    with caplog.at_level(logging.INFO, "waypost"):
        telemetry.observer(config, "c").observe(
            replace(record, requested_model="unheard-of", error="model_not_found", selection=None)
        )
    assert [line.requested_model for line in caplog.records] == ["other"]


def test_tracing_takes_a_trace_up(open_telemetry):
    pytest.importorskip("opentelemetry.exporter.otlp.proto.grpc", reason="the extra otel is not installed")
    telemetry, config = open_telemetry(tracing={"sample": 0.0})
    trace = telemetry.observer(config, "c").begin(HEAD)
    assert (trace.trace_id, trace.sampled) == ("a" * 32, True)
    assert dict(trace.set_headers)["traceparent"].startswith(f"00-{'a' * 32}-")
    assert not telemetry.observer(config, "c").begin(RequestHead("POST", "/")).sampled


def test_a_baseline_of_the_operator_s_choice(open_telemetry, metrics, record):
    telemetry, config = open_telemetry(baseline_model="large")
    observer = telemetry.observer(config, "c")
    telemetry.know(observer)
    observer.observe(replace(record, selection=replace(record.selection, model="small")))
    assert value(metrics, "waypost_baseline_cost_total", model="small") == pytest.approx(3.000066)
