"""The cache, looked into and emptied by HTTP."""

from __future__ import annotations

import json

import httpx
import pytest

from waypost.build import build_engine
from waypost.cache.store.memory import MemoryStore
from waypost.config.api import ApiConfig
from waypost.config.load import loads
from waypost.config.units import HostPort
from waypost.serve.api.app import api_app
from waypost.serve.api.services import Services
from waypost.types import Forward, RequestHead, ResponseHead

CONFIG = """
version: 1
models: {small: {endpoints: [{url: http://127.0.0.1:1}]}}
routing: {default_model: small}
cache: {similar: false}
"""
ANSWER = b'{"choices":[{"index":0,"message":{"role":"assistant","content":"Hi."},"finish_reason":"stop"}]}'


@pytest.fixture
def engine():
    store = MemoryStore(max_entries=9, max_bytes=2**20)
    return build_engine(loads(CONFIG, "f", {}).config, {}, store=store)


@pytest.fixture
async def client(engine):
    services = Services(
        status=lambda: None,
        engine_now=lambda: engine,
        encoder=lambda: None,
        cache_counts=lambda: engine.cache.counts,
        store=lambda: None,
        admin=lambda: None,
        metrics=bytes,
        settings=ApiConfig(),
        address=HostPort("127.0.0.1", 8080),
    )
    transport = httpx.ASGITransport(api_app(services, {}))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as found:
        yield found


async def send(engine, text: str, user: str) -> bool:
    """Send a request; tell whether a backend had to answer it."""
    exchange = engine.open(RequestHead("POST", "/v1/chat/completions", {"authorization": user}))
    exchange.on_headers()
    body = {"model": "MoM", "messages": [{"role": "user", "content": text}]}
    action = await exchange.on_body(json.dumps(body).encode())
    if isinstance(action, Forward):
        exchange.on_response_start(ResponseHead(200, {"content-type": "application/json"}))
        await exchange.on_chunk(ANSWER, last=True)
    exchange.on_end(aborted=False)
    await engine.cache.settle()
    return isinstance(action, Forward)


async def test_what_is_kept_is_counted(client, engine):
    assert [await send(engine, "hello", "ann") for _ in range(3)] == [True, False, False]
    found = (await client.get("/api/v1/cache/stats")).json()
    assert (found["backend"], found["entries"]) == ("memory", 1)
    assert found["hits"] == {"exact": 2}
    assert found["misses"] == {"absent": 1}


@pytest.mark.parametrize(
    "meant, dropped",
    [({}, 3), ({"user": "ann"}, 2), ({"text": "hello"}, 2), ({"user": "ann", "text": "bye"}, 1), ({"user": "eve"}, 0)],
)
async def test_it_forgets_what_is_meant(client, engine, meant, dropped):
    for text, user in (("hello", "ann"), ("bye", "ann"), ("hello", "bob")):
        await send(engine, text, user)
    answer = await client.post("/api/v1/cache/invalidate", json=meant)
    assert answer.json() == {"dropped": dropped}
    assert (await client.get("/api/v1/cache/stats")).json()["entries"] == 3 - dropped


async def test_without_a_cache_it_says_so(client, engine):
    object.__setattr__(engine, "cache", None)
    answer = await client.get("/api/v1/cache/stats")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "cache_off")
