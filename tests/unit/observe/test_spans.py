"""Spans from a finished record: whole, nested in time, and without a word of the prompt."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest

from waypost.observe.spans import spans_of
from waypost.types import Recalled, Record, SignalResult, Step, ToolChoice, Verdict


@pytest.fixture
def spans(record):
    numbers = count(1)
    return lambda **changes: {
        span.name.removeprefix("semantic_router."): span
        for span in spans_of(replace(record, **changes), record.trace, lambda: f"{next(numbers):016x}")
    }


def test_every_step_has_a_span(spans):
    assert list(spans()) == [
        "request.received",
        "signal.keyword",
        "classification",
        "routing.decision",
        "system_prompt.injection",
        "backend.selection",
        "upstream.request",
    ]


def test_they_lie_inside_the_request_and_have_it_as_parent(spans, record):
    root, *steps = spans().values()
    assert (root.span_id, root.parent_id, root.kind) == (record.trace.span_id, record.trace.parent_id, "server")
    assert (root.start, root.end) == (record.began, record.began + 1.5)
    for step in steps:
        assert step.parent_id == root.span_id
        assert root.start <= step.start <= step.end <= root.end
    assert len({span.span_id for span in (root, *steps)}) == len(steps) + 1


def test_signals_follow_each_other_from_the_body_on(spans, record):
    found = spans()
    keyword, domain, decision = found["signal.keyword"], found["classification"], found["routing.decision"]
    assert keyword.start == record.began + record.body_seconds
    assert keyword.end == domain.start
    assert domain.end == decision.start
    assert domain.end - domain.start == pytest.approx(0.01, abs=1e-6)


def test_the_backend_s_span_is_the_one_that_the_backend_was_told(spans, record):
    upstream = spans()["upstream.request"]
    assert (upstream.span_id, upstream.kind) == (record.trace.upstream_id, "client")
    assert upstream.start == record.began + record.body_seconds + record.router_seconds
    assert upstream.attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "large",
        "http.response.status_code": 200,
        "reasoning.enabled": True,
        "reasoning.effort": "high",
        "server.address": "10.0.0.1",
        "server.port": 8000,
        "gen_ai.usage.input_tokens": 1_000_000,
        "gen_ai.usage.output_tokens": 11,
        "token.count.prompt": 1_000_000,
        "token.count.completion": 11,
    }
    assert upstream.events == (
        ("answer.head", record.began + 0.25),
        ("answer.first_token", record.began + 0.5),
    )


def test_a_wait_for_somebody_else_s_answer_comes_before_the_backend(spans, record):
    step = Step(record.router_seconds, 0.4)
    found = spans(waited_seconds=0.4, recalled=Recalled(False, "waited"), steps={"cache": step})
    sent = record.began + record.body_seconds + record.router_seconds + 0.4
    assert found["upstream.request"].start == pytest.approx(sent)
    assert all(span.start <= span.end for span in found.values())


def test_vsr_s_attributes_are_there(spans):
    found = spans()
    domain, decision = found["classification"].attributes, found["routing.decision"].attributes
    assert (domain["category.name"], domain["category.confidence"]) == ("math", 0.9)
    assert (decision["routing.original_model"], decision["routing.selected_model"]) == ("MoM", "large")
    assert (decision["decision.name"], decision["decision.confidence"]) == ("calculate", 0.9)


ASKED, CHOSEN = Step(0.105, 0.002), Step(0.1075, 0.003)


def test_cache_and_tools_lie_where_they_were(spans, record):
    choice = ToolChoice("filter", offered=3, selected=2, added=("get_forecast",), removed=4, tokens_saved=310)
    found = spans(recalled=Recalled(False, "numbers"), tools=choice, steps={"cache": ASKED, "tools": CHOSEN})
    for name, step in (("cache.lookup", ASKED), ("tools.selection", CHOSEN)):
        start = record.began + step.start
        assert (found[name].start, found[name].end) == (start, start + step.seconds)
    assert found["system_prompt.injection"].start == found["tools.selection"].end
    assert found["cache.lookup"].attributes == {
        "cache.hit": False,
        "cache.result": "numbers",
        "cache.lookup_time_ms": pytest.approx(2.0),
    }
    assert found["tools.selection"].attributes == {
        "tools.strategy": "filter",
        "tools.count": 3,
        "tools.selected": ("get_forecast",),
        "tools.removed": 4,
        "tools.tokens_saved": 310,
    }


def test_a_hit_asks_no_backend(spans):
    found = spans(recalled=Recalled(True, "similar", 0.93), steps={"cache": ASKED}, usage=None)
    assert list(found)[-2:] == ["routing.decision", "cache.lookup"]
    assert found["cache.lookup"].attributes["cache.similarity"] == 0.93


def test_guards_have_spans_of_their_own(spans):
    found = spans(
        signals={"jailbreak": SignalResult("jailbreak", frozenset({"jailbreak"}), {"jailbreak": 0.97}, 0.5)},
        signal_seconds={"jailbreak": 0.02},
        verdicts=(Verdict("jailbreak", "block", {"jailbreak": 0.97}),),
        selection=None,
        error="jailbreak_block",
        status=403,
    )
    assert list(found) == ["request.received", "security.jailbreak_detection"]
    attack = found["security.jailbreak_detection"].attributes
    assert (attack["jailbreak.detected"], attack["security.action"]) == (True, "block")
    assert found["request.received"].attributes["error.type"] == "jailbreak_block"


@pytest.mark.parametrize(
    ("changes", "root_failed", "upstream_failed"),
    [({"status": 503}, "503", "503"), ({"status": 429}, "", "429"), ({"status": 200}, "", "")],
)
def test_failures_are_told_on_the_side_that_has_them(spans, changes, root_failed, upstream_failed):
    found = spans(**changes)
    assert (found["request.received"].error, found["upstream.request"].error) == (root_failed, upstream_failed)


def test_a_client_that_left_before_an_answer_has_no_upstream_span(spans):
    assert "upstream.request" not in spans(status=0, aborted=True)


def test_a_request_that_was_not_read_is_one_span(record):
    unread = Record("/v1/embeddings", "", 200, trace=record.trace, began=record.began, total_seconds=0.5)
    assert [span.name for span in spans_of(unread, record.trace)] == ["semantic_router.request.received"]


def test_what_a_client_writes_is_cut(spans):
    found = spans(path="/" + "x" * 9999, requested_model="y" * 9999)
    values = [value for span in found.values() for value in span.attributes.values() if isinstance(value, str)]
    assert max(map(len, values)) <= 256
