"""Metrics: each record is counted once, under names that no client can multiply."""

from __future__ import annotations

from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from waypost.observe.metrics import Metrics
from waypost.observe.prices import Prices
from waypost.types import Decision, Record, Selection, SignalResult, Usage

DOMAIN = SignalResult("domain", frozenset({"math"}), {"math": 0.9}, threshold=0.5)

ROUTED = Record(
    path="/v1/chat/completions",
    requested_model="MoM",
    status=200,
    decision=Decision("calculate", ("domain is math",), 0.9),
    selection=Selection("math-7b", 0.9, "best score"),
    signals={"domain": DOMAIN, "language": SignalResult("language", unknown="too short")},
    signal_seconds={"domain": 0.01},
    decide_seconds=0.0002,
    router_seconds=0.0112,
    total_seconds=1.5,
    first_token_seconds=0.2,
    usage=Usage(7, 3),
)

CONSTANT = ("waypost_build_info", "waypost_config_last_reload_successful", "waypost_workers")
"""1 from the beginning."""


@pytest.fixture
def metrics() -> Metrics:
    metrics = Metrics()
    metrics.know(frozenset({"MoM", "math-7b", "small"}))
    return metrics


def samples(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """Every sample that is not 0, without buckets: by its name, and its labels' values in the order of their names."""
    families = text_string_to_metric_families(metrics.render().decode())
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
        if not sample.name.endswith("_bucket") and family.name not in CONSTANT
    }
    return {key: value for key, value in found.items() if value}


def test_a_routed_request(metrics):
    metrics.begin()
    metrics.observe(ROUTED)
    assert samples(metrics) == {
        ("llm_model_requests_total", "MoM"): 1,
        ("waypost_responses_total", "200"): 1,
        ("llm_model_routing_modifications_total", "MoM", "math-7b"): 1,
        ("llm_decision_match_total", "calculate"): 1,
        ("llm_signal_match_total", "math", "domain"): 1,
        ("waypost_signal_unknown_total", "language"): 1,
        ("llm_signal_extraction_latency_seconds_count", "domain"): 1,
        ("llm_signal_extraction_latency_seconds_sum", "domain"): 0.01,
        ("llm_decision_evaluation_latency_seconds_count",): 1,
        ("llm_decision_evaluation_latency_seconds_sum",): 0.0002,
        ("llm_model_routing_latency_seconds_count",): 1,
        ("llm_model_routing_latency_seconds_sum",): 0.0112,
        ("llm_model_completion_latency_seconds_count", "math-7b"): 1,
        ("llm_model_completion_latency_seconds_sum", "math-7b"): 1.5,
        ("llm_model_ttft_seconds_count", "math-7b"): 1,
        ("llm_model_ttft_seconds_sum", "math-7b"): 0.2,
        ("llm_routing_reason_codes_total", "math-7b", "auto_routing"): 1,
        ("llm_decision_confidence_count", "calculate"): 1,
        ("llm_decision_confidence_sum", "calculate"): 0.9,
        ("llm_model_tokens_total", "math-7b"): 10,
        ("llm_prompt_tokens_per_request_count", "math-7b"): 1,
        ("llm_prompt_tokens_per_request_sum", "math-7b"): 7,
        ("llm_completion_tokens_per_request_count", "math-7b"): 1,
        ("llm_completion_tokens_per_request_sum", "math-7b"): 3,
        ("llm_model_prompt_tokens_total", "math-7b"): 7,
        ("llm_model_completion_tokens_total", "math-7b"): 3,
    }


def test_requests_under_way_are_a_gauge(metrics):
    metrics.begin()
    metrics.begin()
    assert samples(metrics) == {("waypost_requests_active",): 2}
    metrics.observe(ROUTED)
    assert samples(metrics)["waypost_requests_active",] == 1


def test_a_named_model_is_no_modification(metrics):
    metrics.observe(replace(ROUTED, requested_model="small", decision=None, signals={}, signal_seconds={}))
    found = samples(metrics)
    assert found["llm_model_requests_total", "small"] == 1
    assert not [key for key in found if key[0].startswith(("llm_decision", "llm_signal", "llm_model_routing_mod"))]


def test_no_decision_is_one_of_the_decisions(metrics):
    metrics.observe(replace(ROUTED, decision=Decision("", ("no decision holds",), 0.0)))
    assert samples(metrics)["llm_decision_match_total", "none"] == 1


def test_what_was_not_read_has_no_model(metrics):
    metrics.observe(Record("/v1/embeddings", "", 200))
    assert samples(metrics).keys() == {("waypost_responses_total", "200"), ("waypost_requests_active",)}


REASONS = {
    "a wrong request": (replace(ROUTED, status=400, error="empty_array"), "empty_array"),
    "an unknown model": (replace(ROUTED, status=404, error="model_not_found"), "model_not_found"),
    "a client that left": (replace(ROUTED, aborted=True), "cancellation"),
    "a client that left early": (replace(ROUTED, status=0, aborted=True), "cancellation"),
    "a backend that failed": (replace(ROUTED, status=503), "upstream_5xx"),
    "a backend that refused": (replace(ROUTED, status=429), "upstream_4xx"),
}


@pytest.mark.parametrize(("record", "reason"), REASONS.values(), ids=REASONS)
def test_each_failure_has_one_reason(metrics, record, reason):
    metrics.observe(record)
    errors = {key: value for key, value in samples(metrics).items() if key[0] == "llm_request_errors_total"}
    assert errors == {("llm_request_errors_total", "MoM", reason): 1}


def test_success_is_no_failure(metrics):
    metrics.observe(ROUTED)
    assert not [key for key in samples(metrics) if key[0] == "llm_request_errors_total"]


def test_an_answer_that_never_came_has_no_status(metrics):
    metrics.observe(replace(ROUTED, status=0, aborted=True, usage=None))
    assert samples(metrics)["waypost_responses_total", "none"] == 1


def test_a_broken_answer_has_no_latency_but_its_tokens_count(metrics):
    metrics.observe(replace(ROUTED, aborted=True))
    found = samples(metrics)
    assert ("llm_model_completion_latency_seconds_count", "math-7b") not in found
    assert found["llm_model_completion_tokens_total", "math-7b"] == 3


@pytest.mark.parametrize("status", [302, 400, 429, 500, 503])
def test_an_error_is_no_answer(metrics, make_config, status):
    """A backend that fails does so at once: it would be the fastest of all."""
    metrics.know(frozenset({"math-7b"}), Prices.of(make_config()))
    metrics.observe(replace(ROUTED, status=status, stream=True))
    names = {key[0] for key in samples(metrics)}
    assert not [name for name in names if "latency" in name and "completion" in name]
    assert not [name for name in names if name.startswith(("llm_model_ttft", "llm_model_tpot"))]
    assert not [name for name in names if "tokens" in name or "cost" in name]


@pytest.mark.parametrize("model", ["gpt-9", 'x"} 1\nevil{a="', "模型", "a" * 10_000])
def test_names_that_clients_invent_are_one(metrics, model):
    for number in range(3):
        metrics.observe(replace(ROUTED, requested_model=f"{model}{number}"))
    found = samples(metrics)
    assert found["llm_model_requests_total", "other"] == 3
    assert found["llm_model_routing_modifications_total", "other", "math-7b"] == 3
    assert {key for key in found if key[0] == "llm_model_requests_total"} == {("llm_model_requests_total", "other")}


def test_two_of_them_share_nothing(metrics):
    metrics.observe(ROUTED)
    assert samples(Metrics()) == {}


def test_the_version_is_told(metrics):
    from waypost import __version__

    assert f'waypost_build_info{{version="{__version__}"}} 1.0' in metrics.render().decode()
    assert "_created" not in metrics.render().decode()


@pytest.mark.parametrize(("stream", "pace"), [(True, 0.65), (False, None)])
def test_only_a_stream_has_a_pace(metrics, stream, pace):
    metrics.observe(replace(ROUTED, stream=stream))
    assert samples(metrics).get(("llm_model_tpot_seconds_sum", "math-7b")) == pace


def test_one_token_has_no_pace(metrics):
    metrics.observe(replace(ROUTED, stream=True, usage=Usage(7, 1)))
    assert ("llm_model_tpot_seconds_count", "math-7b") not in samples(metrics)


def test_money(metrics, make_config):
    metrics.know(frozenset({"large", "small"}), Prices.of(make_config()))
    large = replace(ROUTED, selection=Selection("large", 0.9, "best"), usage=Usage(1_000_000, 500_000))
    metrics.observe(large)
    metrics.observe(replace(large, selection=Selection("euro", 0.9, "best")))
    metrics.observe(replace(large, selection=Selection("free", 0.9, "best")))
    found = {key: value for key, value in samples(metrics).items() if "cost" in key[0]}
    assert found == {
        ("llm_model_cost_total", "USD", "large"): 6.0,
        ("llm_model_cost_total", "EUR", "euro"): 6.0,
        ("waypost_baseline_cost_total", "USD", "large"): 2.0,
    }


@pytest.mark.parametrize(
    ("reasoning", "effort", "labels"),
    [(True, "high", ("math", "high", "true", "large")), (False, None, ("math", "none", "false", "large"))],
)
def test_reasoning_is_counted_where_a_decision_set_it(metrics, reasoning, effort, labels):
    metrics.observe(replace(ROUTED, selection=Selection("large", 0.9, "best", reasoning, effort)))
    assert samples(metrics)["llm_reasoning_decisions_total", *labels] == 1


def test_unread_tokens(metrics):
    metrics.observe(replace(ROUTED, signals={"domain": replace(DOMAIN, skipped_tokens=300)}))
    assert samples(metrics)["waypost_signal_skipped_tokens_total", "domain"] == 300


def test_reloads(metrics):
    metrics.reloaded(applied=True)
    metrics.reloaded(applied=False)
    found = samples(metrics)
    assert found["waypost_config_reloads_total", "applied"] == found["waypost_config_reloads_total", "rejected"] == 1
    assert "waypost_config_last_reload_successful 0.0" in metrics.render().decode()


def test_the_encoder_is_asked_when_metrics_are_read(metrics):
    pending = [3]
    metrics.watch_encoder(lambda: pending[0])
    assert samples(metrics)["waypost_encoder_pending",] == 3
    pending[0] = 5
    assert samples(metrics)["waypost_encoder_pending",] == 5


def test_every_rate_begins_at_zero(metrics):
    """A series that is born with its first event hides that event from rate()."""
    text = metrics.render().decode()
    for series in (
        'waypost_config_reloads_total{result="rejected"} 0.0',
        'waypost_observer_lost_total{sink="traces"} 0.0',
        "waypost_processor_errors_total 0.0",
    ):
        assert series in text


def test_buckets_fit_what_they_measure(metrics):
    bounds = {}
    metrics.observe(replace(ROUTED, stream=True))
    for family in text_string_to_metric_families(metrics.render().decode()):
        for sample in family.samples:
            if sample.name.endswith("_bucket") and sample.labels["le"] != "+Inf":
                bounds.setdefault(family.name, []).append(float(sample.labels["le"]))
    spans = {name: (min(found), max(found)) for name, found in bounds.items()}
    for name in ("llm_model_completion_latency_seconds", "llm_model_ttft_seconds"):
        assert spans[name][1] >= 300
    for name in ("llm_model_routing_latency_seconds", "llm_signal_extraction_latency_seconds"):
        assert spans[name][0] <= 0.0001
    assert spans["llm_model_tpot_seconds"][0] <= 0.001
