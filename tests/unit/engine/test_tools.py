"""A choice of tools on its way: into the request, into the headers of who asks, and in numbers into the record."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from waypost.tools.selection import ToolSelection
from waypost.tools.tool import Tool
from waypost.types import ResponseHead, Step, ToolChoice
from waypost.wire.encode import Written
from waypost.wire.headers import for_tools

FORECAST = '{ "type":"function", "function":{"name":"get_forecast","parameters":{"most":1e3}} }'
MINE = {"type": "function", "function": {"name": "mine"}}


class Chosen:
    """Chooses what it is told to, in 20 ms."""

    def __init__(self, clock) -> None:
        self.clock = clock
        self.selection: ToolSelection | None = None

    async def select(self, text, offer, settings) -> ToolSelection | None:
        self.clock.now += 0.02
        return self.selection


@pytest.fixture
def chosen(clock) -> Chosen:
    return Chosen(clock)


@pytest.fixture
def engine(make_engine, chosen):
    return replace(make_engine(tools={"mode": "filter"}), tools=chosen)


def body() -> bytes:
    messages = [{"role": "user", "content": "is it warm?"}]
    return json.dumps({"model": "MoM", "messages": messages, "tools": [MINE]}).encode()


def told(exchange) -> dict[str, str]:
    start = exchange.on_response_start(ResponseHead(200, {"content-type": "application/json"}))
    return {name: value for name, value in start.set_headers if name.startswith("x-vsr-tools")}


def test_the_model_gets_the_tool_as_written_and_the_record_the_numbers(ask, engine, chosen, observer):
    tool = Tool.read(json.loads(FORECAST), written=Written(FORECAST))
    offered = ("mine", "get_forecast")
    chosen.selection = ToolSelection("add", frozenset({0}), (tool,), {"get_forecast": 0.87}, -40, 0, offered)
    exchange, action = ask(engine, body(), headers={"x-vsr-debug": "true"})
    assert f"{json.dumps(MINE)},{FORECAST}]" in action.body.decode()
    assert told(exchange) == {
        "x-vsr-tools-strategy": "add",
        "x-vsr-tools-offered": "mine,get_forecast",
        "x-vsr-tools-confidence": "0.8700",
        "x-vsr-tools-latency-ms": "20.00",
    }
    exchange.on_end(aborted=False)
    (record,) = observer.records
    assert record.tools == ToolChoice("add", offered=2, selected=1, added=("get_forecast",), tokens_saved=-40)
    assert record.steps == {"tools": Step(pytest.approx(0.0), pytest.approx(0.02))}
    assert "mine" not in repr(record.tools)


def test_only_who_asks_is_told(ask, engine, chosen):
    chosen.selection = ToolSelection("filter", frozenset({0}), offered=("mine",))
    exchange, _ = ask(engine, body())
    assert told(exchange) == {}


def test_why_nothing_was_chosen(ask, engine, chosen):
    chosen.selection = ToolSelection("filter", frozenset({0}), offered=("mine",), unknown="the queue is full")
    exchange, action = ask(engine, body(), headers={"x-vsr-debug": "true"})
    assert json.loads(action.body)["tools"] == [MINE]
    assert told(exchange)["x-vsr-tools-unknown"] == "the queue is full"


def test_without_a_choice_nothing_is_told(ask, engine, observer):
    exchange, _ = ask(engine, body(), headers={"x-vsr-debug": "true"})
    assert told(exchange) == {}
    exchange.on_end(aborted=False)
    assert (observer.records[0].tools, observer.records[0].steps) == (None, {})


@pytest.mark.parametrize(
    ("names", "listed"),
    [
        ((), ""),
        (("a,b", "天气", "c\r\nd"), "a%2Cb,%E5%A4%A9%E6%B0%94,c%0D%0Ad"),
        (("n" * 500,) * 3, ",".join(["n" * 500] * 2) + ",+1"),
        (("n" * 2000, "m"), "+2"),
    ],
)
def test_the_list_of_tools_is_one_short_line(names, listed):
    headers = dict(for_tools(ToolChoice("filter", offered=len(names)), names, None, 0.0))
    assert headers.get("x-vsr-tools-offered", "") == listed
