"""The choice of tools in a running router: what the backend is sent, to the byte."""

from __future__ import annotations

import asyncio
import json

import pytest
import pytest_asyncio
from openai import AsyncOpenAI

pytestmark = pytest.mark.asyncio(loop_scope="session")

BOTH = pytest.mark.parametrize("tooled", ["buffered", "full_duplex_streamed"], indirect=True)

CHAT = "/v1/chat/completions"
WEATHER = "Will it rain in Paris on Friday?"
FLIGHT = "Book me a flight from Rome to Oslo"

DATABASE = {
    "get_weather": (
        "weather",
        r"""{"type": "function", "function": {"parameters": {"type":"object", "properties": {
            "days": {"maximum": 1e3, "minimum": -0.0, "type": "number", "multipleOf": 0.10},
            "city": {"type": "string", "description": "caf\u00e9 \ud83d\ude00 é \/ \t"}}, "required":[ "city" ]},
            "description": "Get the weather forecast of a city: rain, wind, temperature", "strict": true,
            "name": "get_weather"}}""",
    ),
    "book_flight": (
        "travel",
        r"""{"type":"function","function":{"name":"book_flight","description":"Book a flight between two cities",
            "parameters":{"type":"object","properties":{"to":{"type":"string"},"from":{"type":"string"}}}}}""",
    ),
    "convert_currency": (
        "money",
        '{"type":"function","function":{"name":"convert_currency","description":"Convert money to another currency"}}',
    ),
    "play_music": (
        "home",
        '{"type":"function","function":{"name":"play_music","description":"Play a song or an album by an artist"}}',
    ),
    "send_email": (
        "office",
        '{"type":"function","function":{"name":"send_email","description":"Send an email to somebody"}}',
    ),
}
"""Category, and the tool as the file has it: odd order, spacing, numbers and escapes included."""

DECISIONS = {
    "filter": {"mode": "filter", "top_k": 1},
    "replace": {"mode": "replace"},
    "wide": {"top_k": 3, "similarity": 0},
    "blocked": {"block": ["get_*"]},
    "tagged": {"tags": ["travel"], "similarity": 0},
    "strict": {"mode": "replace", "similarity": 1},
    "empty": {"mode": "filter", "similarity": 1, "fallback_to_empty": True},
    "off": {"enabled": False},
}
"""Each is chosen by its name after a ``#``."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def tool_roads(listeners, open_road, tmp_path_factory):
    """Routers that choose tools, one a mode of ``envoy.request_body``."""
    database = tmp_path_factory.mktemp("tools") / "tools_db.json"
    entries = (f'{{"tool": {tool}, "category": "{category}", "tags": []}}' for category, tool in DATABASE.values())
    database.write_text(f"[{', '.join(entries)}]", "utf-8")

    def configure(request_body):
        return lambda urls: {
            "version": 1,
            "listeners": listeners(),
            "envoy": {"request_body": request_body, "message_timeout": "60s"},
            "encoder": {"deadline": "30s"},  # the tests' machine may be busy
            "models": {name: {"endpoints": [{"url": url}]} for name, url in urls.items()},
            "routing": {
                "default_model": "a",
                "signals": {"keywords": [{"name": name, "any": [f"#{name}"]} for name in DECISIONS]},
                "decisions": [
                    {"name": name, "when": {"keyword": name}, "models": [{"model": "a"}], "tools": tools}
                    for name, tools in DECISIONS.items()
                ],
            },
            "tools": {"database": str(database), "top_k": 1},
        }

    modes = ("buffered", "full_duplex_streamed")
    async with open_road(("a",), configure(modes[0])) as one, open_road(("a",), configure(modes[1])) as other:
        yield dict(zip(modes, (one, other), strict=True))


@pytest_asyncio.fixture(loop_scope="session")
async def tooled(tool_roads, request):
    road = tool_roads[getattr(request, "param", "buffered")]
    await road.reset()
    return road


def body(question: str, *, tools: str = "", choice: str = '"auto"', history: str = "") -> str:
    """A request in the spelling of some client, which nobody may touch."""
    offer = f'"tools":  [ {tools} ], ' if tools else ""
    said = f'{history}{{"content": "{question}",\n "role": "user"}}'
    last = f', "tool_choice": {choice}' if choice else ""
    return f'{{"seed" : 1E2, "model": "a", {offer}"messages": [{said}], "x": "\\u00e9 é"{last} }}'


def routed(request: str) -> str:
    """The same request for the router to choose a decision."""
    return request.replace('"model": "a"', '"model": "auto"')


async def sent(road, request: str) -> str:
    """Ask, and return what arrived at the backend."""
    answer = await road.http.post(CHAT, content=request.encode(), headers={"content-type": "application/json"})
    assert answer.status_code == 200
    return road.received[-1][1].body.decode()


async def names(road, request: str) -> list[str]:
    """The tools that the backend was offered."""
    return [tool["function"]["name"] for tool in json.loads(await sent(road, request)).get("tools", [])]


def own(name: str, description: str) -> str:
    """A client's tool, in its own spelling."""
    return f'{{ "type":"function", "function" : {{"name": "{name}", "description": "{description}", "x": 1e1}} }}'


RAIN, SONG = own("rain_radar", "Shows where it will rain"), own("jukebox", "Plays songs of any artist")


@BOTH
@pytest.mark.parametrize(("question", "best"), [(WEATHER, "get_weather"), (FLIGHT, "book_flight")])
async def test_the_best_tool_of_the_database_is_added_to_the_byte(tooled, question, best):
    request = body(question)
    _, tool = DATABASE[best]
    assert await sent(tooled, request) == request.removesuffix(" }") + f',"tools":[{tool}]' + " }"


@BOTH
async def test_it_joins_the_tools_of_the_client(tooled):
    request = body(WEATHER, tools=f"{SONG} ,{RAIN}")
    _, tool = DATABASE["get_weather"]
    arrived = await sent(tooled, request)
    before, rest = arrived.split(tool)
    assert before == request[: request.index(RAIN) + len(RAIN)] + ","
    assert rest == request[request.index(RAIN) + len(RAIN) :]


async def test_the_official_client_may_leave_the_choice_to_the_model(tooled):
    async with AsyncOpenAI(base_url=f"{tooled.router.address('http')}/v1", api_key="sk-x", max_retries=0) as client:
        tools = [json.loads(SONG)]
        messages = [{"role": "user", "content": WEATHER}]
        await client.chat.completions.create(model="auto", messages=messages, tools=tools, tool_choice="auto")
        stream = await client.chat.completions.create(model="auto", messages=messages, tools=tools, stream=True)
        assert "".join([chunk.choices[0].delta.content async for chunk in stream]) == "Hello from the stream"
    for _, request in tooled.received:
        assert [tool["function"]["name"] for tool in request.json["tools"]] == ["jukebox", "get_weather"]


@BOTH
@pytest.mark.parametrize(
    "choice", ['"none"', '"required"', '{"type": "function", "function": {"name": "jukebox"}}', '"any"']
)
async def test_a_client_that_forces_or_forbids_a_call_is_obeyed(tooled, choice):
    request = body(WEATHER, tools=f"{SONG}, {RAIN}", choice=choice)
    assert await sent(tooled, request) == request


async def test_without_tools_and_choice_there_is_nothing_to_choose(tooled):
    request = body(WEATHER, choice="")
    assert await sent(tooled, request) == request


@BOTH
async def test_the_best_of_the_clients_tools_stay(tooled):
    question = f"{WEATHER} #filter"
    request = body(question, tools=f"{SONG},  {RAIN}")
    arrived = await sent(tooled, routed(request))
    assert json.loads(arrived) == json.loads(body(question, tools=RAIN))
    assert RAIN in arrived
    assert await names(tooled, routed(body("Play something by Abba #filter", tools=f"{SONG},{RAIN}"))) == ["jukebox"]


async def test_the_best_of_the_database_take_the_place_of_the_clients_tools(tooled):
    question = f"{FLIGHT} #replace"
    arrived = await sent(tooled, routed(body(question, tools=f"{SONG}, {RAIN}")))
    assert f"[{DATABASE['book_flight'][1]}]" in arrived
    assert json.loads(arrived) == json.loads(body(question, tools=DATABASE["book_flight"][1]))


CALLED = (
    '{{"role": "user", "content": "Hi"}}, {{"role": "assistant", "content": null, "tool_calls": [{{"id": "c1",'
    ' "type": "function", "function": {{"name": "{0}", "arguments": "{{}}"}}}}]}},'
    ' {{"role": "tool", "tool_call_id": "c1", "content": "done"}}, '
)


@pytest.mark.parametrize(
    ("decision", "used", "offered"),
    [
        ("filter", "jukebox", ["jukebox", "rain_radar"]),
        ("replace", "jukebox", ["jukebox", "get_weather"]),
        ("replace", "book_flight", ["book_flight", "get_weather"]),
        ("replace", "never_heard_of", ["get_weather"]),
    ],
)
async def test_tools_that_were_called_before_stay(tooled, decision, used, offered):
    request = body(f"{WEATHER} #{decision}", tools=f"{SONG}, {RAIN}", history=CALLED.format(used))
    assert await names(tooled, routed(request)) == offered


@pytest.mark.parametrize(
    ("decision", "offered"),
    [
        ("blocked", ["jukebox"]),
        ("tagged", ["jukebox", "book_flight"]),
        ("strict", ["jukebox"]),
        ("empty", []),
        ("off", ["jukebox"]),
    ],
)
async def test_a_decision_chooses_by_its_own_rules(tooled, decision, offered):
    request = routed(body(f"{WEATHER} #{decision}", tools=SONG))
    assert await names(tooled, request) == offered
    assert ("tool_choice" in tooled.received[-1][1].json) == bool(offered)


async def test_top_k_is_how_many_are_added(tooled):
    chosen = await names(tooled, routed(body(f"{WEATHER} #wide")))
    assert (len(chosen), chosen[0]) == (3, "get_weather")


async def test_tokens_are_counted(tooled):
    removed, added = "waypost_tool_tokens_removed_total", "waypost_tool_tokens_added_total"
    before = {sample: await tooled.router.metric(sample) for sample in (removed, added)}

    async def grows(sample):
        async with asyncio.timeout(60):
            while await tooled.router.metric(sample) <= before[sample]:
                await asyncio.sleep(0.02)

    await sent(tooled, body(WEATHER))
    await grows(added)
    assert await tooled.router.metric(removed) == before[removed]
    await sent(tooled, routed(body(f"{WEATHER} #filter", tools=f"{SONG}, {RAIN}")))
    await grows(removed)
