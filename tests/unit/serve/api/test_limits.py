"""How much a client may ask."""

from __future__ import annotations

import httpx
import pytest
from starlette.responses import PlainTextResponse

from waypost.serve.api.limits import RateLimit


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limited(clock):
    """A client with an address of its own: ``limited("10.0.0.1")``."""
    app = RateLimit(PlainTextResponse("ok"), per_minute=3, clock=clock)

    def client(address: str = "10.0.0.1") -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(app, client=(address, 1)), base_url="http://localhost")

    return client


async def statuses(client: httpx.AsyncClient, times: int, path: str = "/x") -> list[int]:
    return [(await client.get(path)).status_code for _ in range(times)]


async def test_a_minute_holds_so_many_requests(limited, clock):
    assert await statuses(limited(), 4) == [200, 200, 200, 429]
    clock.now = 20
    assert await statuses(limited(), 2) == [200, 429]
    clock.now = 1000
    assert await statuses(limited(), 4) == [200, 200, 200, 429]


async def test_the_files_of_a_page_are_free(limited):
    assert await statuses(limited(), 50, "/web/js/main.js") == [200] * 50


async def test_who_is_refused_is_told_how_long(limited):
    http = limited()
    await statuses(http, 3)
    answer = await http.get("/x")
    assert answer.headers["retry-after"] == "20"
    assert answer.json()["error"].items() >= {"type": "rate_limit_error", "code": "rate_limit_exceeded"}.items()


async def test_addresses_are_counted_apart(limited):
    assert await statuses(limited("10.0.0.1"), 4) == [200, 200, 200, 429]
    assert await statuses(limited("10.0.0.2"), 1) == [200]


@pytest.mark.parametrize("path", ["/health", "/ready"])
async def test_probes_are_not_counted(limited, path):
    assert await statuses(limited(), 10, path) == [200] * 10


async def chunks():
    for _ in range(3):
        yield b'{"text": "' + b"a" * 500


@pytest.mark.parametrize("content", [b'{"text": "' + b"a" * 1024 + b'"}', chunks()], ids=["declared", "chunked"])
async def test_a_long_body_is_refused(client, content):
    http = client(settings={"max_body": "1KiB"})
    answer = await http.post("/api/v1/eval", content=content, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "request_too_large")
    assert "1024 bytes" in answer.json()["error"]["message"]


async def test_a_body_at_the_limit_passes(client):
    body = b'{"text": "hi"}'.ljust(1024)
    http = client(settings={"max_body": "1KiB"})
    answer = await http.post("/api/v1/eval", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 200
