"""Log lines of requests: VSR's event names, ids of the trace, and only those that were asked for."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from waypost.observe.events import log_request
from waypost.observe.prices import Prices
from waypost.types import Recalled, Step, Verdict

STANDARD = {*vars(logging.makeLogRecord({})), "message", "asctime"}


@pytest.fixture
def events(record, make_config, caplog):
    def said(which: str, **changes):
        caplog.clear()
        with caplog.at_level(logging.INFO, "waypost"):
            log_request(replace(record, **changes), which, lambda name: f"<{name}>", Prices.of(make_config()))
        return [{key: value for key, value in vars(line).items() if key not in STANDARD} for line in caplog.records]

    return said


IDS = {"request_id": "r-1", "trace_id": "a" * 32, "span_id": "b" * 16}


def test_a_request_that_was_served(events):
    decided, used = events("all")
    assert decided == IDS | {
        "event": "routing_decision",
        "requested_model": "<MoM>",
        "decision": "calculate",
        "confidence": 0.9,
        "selected_model": "large",
        "reasoning": True,
        "routing_latency_ms": 12.0,
    }
    assert used == IDS | {
        "event": "llm_usage",
        "model": "large",
        "prompt_tokens": 1_000_000,
        "completion_tokens": 11,
        "total_tokens": 1_000_011,
        "completion_latency_ms": 1500.0,
        "ttft_ms": 500.0,
        "cost": 3.000066,
        "currency": "USD",
    }


@pytest.mark.parametrize(
    ("recalled", "event"),
    [(Recalled(True, "similar", 0.93456), "cache_hit"), (Recalled(False, "numbers"), "cache_miss")],
)
def test_a_request_that_the_cache_was_asked(events, recalled, event):
    decided, cache = events("all", recalled=recalled, steps={"cache": Step(0.1, 0.004)}, usage=None)
    assert decided["event"] == "routing_decision"
    similarity = 0.9346 if recalled.hit else None
    assert cache == IDS | {
        "event": event,
        "reason": recalled.reason,
        "similarity": similarity,
        "lookup_latency_ms": 4.0,
    }


def test_a_request_that_a_guard_stopped(events):
    found = events("refused", verdicts=(Verdict("pii", "block", {"US_SSN": 1.0}),), error="pii_policy_denied")
    assert found == [
        IDS
        | {
            "event": "security_block",
            "requested_model": "<MoM>",
            "guard": "pii",
            "found": ["US_SSN"],
            "in_answer": False,
        }
    ]


def test_a_request_that_was_wrong(events):
    found = events("refused", error="model_not_found", status=404, selection=None)
    assert [line["event"] for line in found] == ["routing_block"]
    assert (found[0]["reason"], found[0]["status"]) == ("model_not_found", 404)


@pytest.mark.parametrize(
    ("which", "changes"),
    [
        ("none", {}),
        ("none", {"error": "model_not_found"}),
        ("refused", {}),
        ("refused", {"verdicts": (Verdict("pii", "log", {"URL": 1.0}),)}),
    ],
)
def test_silence(events, which, changes):
    assert events(which, **changes) == []
