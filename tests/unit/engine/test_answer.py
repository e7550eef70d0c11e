"""What the client learns with the answer, and what is recorded of it all."""

from __future__ import annotations

import asyncio
import json
import re

import pytest

from waypost.errors import RouterTimeout
from waypost.types import RequestHead, ResponseHead, Usage

CHAT = "/v1/chat/completions"
SSE = {"content-type": "text/event-stream"}
JSON = {"content-type": "application/json"}


def feed(exchange, data: bytes) -> None:
    """Show a piece of an answer that no guard changes."""
    assert asyncio.run(exchange.on_chunk(data, last=False)) is None


def chat(text: str, **fields: object) -> bytes:
    return json.dumps({"model": "MoM", "messages": [{"role": "user", "content": text}], **fields}).encode()


def test_the_client_learns_the_choice_and_the_time(ask, engine):
    exchange, _ = ask(engine, chat("some math"))
    start = exchange.on_response_start(ResponseHead(200, JSON))
    headers = dict(start.set_headers)
    timing = headers.pop("server-timing")
    assert headers == {
        "x-vsr-selected-model": "math",
        "x-vsr-selected-decision": "calculate",
        "x-vsr-selected-category": "math",
        "x-vsr-selected-confidence": "0.9375",
        "x-vsr-selected-reasoning": "on",
        "x-vsr-injected-system-prompt": "true",
    }
    pattern = r"waypost-signal;dur=\d+\.\d\d, waypost-decide;dur=\d+\.\d\d, waypost-total;dur=0\.00"
    assert re.fullmatch(pattern, timing)


def test_the_backends_own_server_timing_comes_first(ask, engine):
    exchange, _ = ask(engine, chat("some math"))
    start = exchange.on_response_start(ResponseHead(200, JSON | {"server-timing": "db;dur=5"}))
    assert dict(start.set_headers)["server-timing"].startswith("db;dur=5, waypost-signal;")


@pytest.mark.parametrize(("value", "shown"), [("true", True), ("1", False), ("", False)])
def test_the_details_are_for_those_who_ask(ask, engine, value, shown):
    exchange, _ = ask(engine, chat("some law"), headers={"x-vsr-debug": value})
    headers = dict(exchange.on_response_start(ResponseHead(200, JSON)).set_headers)
    assert ("x-vsr-decision-reasons" in headers) == shown
    if shown:
        assert "law" in headers["x-vsr-decision-reasons"]
        assert headers["x-vsr-decisions-rejected"].startswith("calculate does not hold")
        assert headers["x-vsr-matched-domain"] == "law"
        assert headers["x-vsr-selection-reason"]


def test_an_error_of_the_backend_also_tells_the_choice(ask, engine):
    exchange, _ = ask(engine, chat("some math"))
    start = exchange.on_response_start(ResponseHead(503, JSON))
    assert dict(start.set_headers)["x-vsr-selected-model"] == "math"
    assert not start.read_body


def test_a_compressed_answer_is_not_read(ask, engine):
    exchange, _ = ask(engine, chat("some math"))
    assert not exchange.on_response_start(ResponseHead(200, JSON | {"content-encoding": "gzip"})).read_body


def test_a_streamed_answer_is_timed_and_counted(ask, engine, observer, clock):
    exchange, _ = ask(engine, chat("some math", stream=True))
    clock.now += 1
    assert exchange.on_response_start(ResponseHead(200, SSE)).read_body
    feed(exchange, b'data: {"choices": [{"delta": {"role": "assistant", "content": ""}}]}\n\n')
    clock.now += 1
    feed(exchange, b'data: {"choices": [{"delta": {"content": "4"}}]}\n\n')
    clock.now += 1
    feed(exchange, b'data: {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}}\n\ndata: [DO')
    feed(exchange, b"NE]\n\n")
    clock.now += 1
    exchange.on_end(aborted=False)
    (record,) = observer.records
    assert observer.begun == 1
    assert record.first_token_seconds == 2
    assert record.total_seconds == 4
    assert record.usage == Usage(5, 2)
    assert (record.path, record.requested_model, record.status) == (CHAT, "MoM", 200)
    assert (record.decision.name, record.selection.model) == ("calculate", "math")
    assert record.signals["domain"].matched == {"math"}
    assert record.signal_seconds.keys() == {"domain"}
    assert (record.error, record.aborted) == ("", False)


@pytest.mark.parametrize(("answers", "status"), [(True, 504), (False, 200)])
def test_what_fails_around_it_is_told(ask, engine, observer, answers, status):
    exchange, _ = ask(engine, chat("some math"))
    exchange.on_response_start(ResponseHead(200, JSON))
    exchange.on_failure(RouterTimeout(), answers=answers)
    exchange.on_end(aborted=False)
    (record,) = observer.records
    assert (record.status, record.error, record.aborted) == (status, "router_timeout", False)


def test_the_routers_own_time_is_from_the_body_to_the_answer(engine, observer, clock, domain):
    def a_quarter_of_a_second() -> None:
        clock.now += 0.25

    domain.meanwhile = a_quarter_of_a_second
    exchange = engine.open(RequestHead("POST", CHAT))
    clock.now += 10  # a slow upload is not our time
    asyncio.run(exchange.on_body(chat("some math")))
    clock.now += 10
    exchange.on_end(aborted=True)
    (record,) = observer.records
    assert (record.router_seconds, record.total_seconds) == (0.25, 20.25)


def test_a_whole_answer_is_counted_too(ask, engine, observer, clock):
    exchange, _ = ask(engine, chat("some math"))
    exchange.on_response_start(ResponseHead(200, JSON))
    clock.now += 3
    feed(exchange, b'{"usage": {"prompt_tokens": 7,')
    feed(exchange, b' "completion_tokens": 3}}')
    exchange.on_end(aborted=False)
    assert observer.records[0].usage == Usage(7, 3)
    assert observer.records[0].first_token_seconds == 3


def test_an_answer_without_usage_has_none(ask, engine, observer):
    exchange, _ = ask(engine, chat("some math"))
    exchange.on_response_start(ResponseHead(200, JSON))
    feed(exchange, b"not json")
    exchange.on_end(aborted=False)
    assert observer.records[0].usage is None


def test_a_client_that_leaves_is_recorded_wherever_it_left(ask, engine, observer):
    engine.open(RequestHead("POST", CHAT)).on_end(aborted=True)
    exchange, _ = ask(engine, chat("some math"))
    exchange.on_end(aborted=True)
    exchange, _ = ask(engine, chat("some math"))
    exchange.on_response_start(ResponseHead(200, SSE))
    exchange.on_end(aborted=True)
    assert [(record.status, record.aborted) for record in observer.records] == [(0, True), (0, True), (200, True)]


def test_a_record_holds_nothing_of_the_content(ask, engine, observer):
    exchange, _ = ask(engine, chat("my-secret-marker math", user="my-secret-marker"))
    exchange.on_response_start(ResponseHead(200, SSE))
    feed(exchange, b'data: {"choices": [{"delta": {"content": "my-secret-marker"}}]}\n\n')
    exchange.on_end(aborted=False)
    assert "my-secret-marker" not in repr(observer.records)
