"""What the cache answered is counted as that, and not as an answer of a model."""

from __future__ import annotations

from dataclasses import replace

import pytest

from waypost.observe.metrics import Metrics
from waypost.types import Recalled, Step

ASKED = {"cache": Step(0.11, 0.004)}


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def value(metrics):
    return lambda name, **labels: metrics.registry.get_sample_value(name, labels)


def test_a_hit_is_no_answer_of_a_model(metrics, record, value):
    hit = Recalled(True, "similar", 0.93)
    metrics.observe(replace(record, recalled=hit, steps=ASKED, usage=None, first_token_seconds=None))
    result = {"decision_name": "calculate", "result": "hit", "reason": "similar"}
    assert value("waypost_cache_results_total", **result) == value("llm_cache_hits_total") == 1
    assert value("waypost_cache_lookup_seconds_sum", result="hit") == 0.004
    assert value("llm_decision_match_total", decision_name="calculate") == 1
    for name in (
        "llm_model_completion_latency_seconds_count",
        "llm_routing_reason_codes_total",
        "llm_model_routing_modifications_total",
        "llm_reasoning_decisions_total",
    ):
        assert name + "{" not in metrics.render().decode()


def test_a_miss_has_its_reason_and_goes_on_to_the_model(metrics, record, value):
    metrics.observe(replace(record, decision=None, recalled=Recalled(False, "numbers"), steps=ASKED))
    result = {"decision_name": "none", "result": "miss", "reason": "numbers"}
    assert value("waypost_cache_results_total", **result) == value("llm_cache_misses_total") == 1
    assert value("llm_model_completion_latency_seconds_count", model="large") == 1


def test_who_was_not_asked_counts_nothing(metrics, record, value):
    metrics.observe(record)
    assert value("llm_cache_hits_total") == value("llm_cache_misses_total") == 0
    assert "waypost_cache_results_total{" not in metrics.render().decode()
