"""A router with a cache, and how its tests ask and read.

An identical request waits for the one before it to be stored, so that what it gets does not depend on time.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio

CHAT = "/v1/chat/completions"
TO_A = {"models": [{"model": "a"}]}
QUIET = {"guard": {"jailbreak": {"enabled": False}, "pii": {"enabled": False}}}
MASKED = {"guard": {"jailbreak": {"enabled": False}, "pii": {"action": "mask"}}}

DECISIONS = {
    "loose": {"cache": {"similarity": 0}},  # nothing but the checks
    "strict": {"cache": {"similarity": 1}},
    "off": {"cache": {"enabled": False}},
    "brief": {"cache": {"ttl": "300ms"}},
    "zebra": MASKED | {"models": [{"model": "b"}]},
    "mask": MASKED,
    "guarded": {"guard": {"pii": {"answers": {}}}},
}
"""What each does otherwise. It is chosen by its name after a ``#``, or before an ``@``."""


def settings(urls, listeners, request_body="buffered", **cache):
    return {
        "version": 1,
        "listeners": listeners,
        "envoy": {"request_body": request_body, "message_timeout": "60s"},
        "encoder": {"deadline": "30s"},  # the tests' machine may be busy
        "models": {name: {"endpoints": [{"url": url}], "pii": {"allow": []}} for name, url in urls.items()},
        "guard": {"jailbreak": {}, "pii": {"action": "block", "types": ["EMAIL_ADDRESS", "CREDIT_CARD"]}},
        "routing": {
            "default_model": "a",
            "signals": {"keywords": [{"name": name, "any": [f"#{name}", f"{name}@example.com"]} for name in DECISIONS]},
            "decisions": [
                *({"name": name, "when": {"keyword": name}} | QUIET | TO_A | own for name, own in DECISIONS.items()),
                {"name": "rest"} | QUIET | TO_A,
            ],
        },
        "cache": {"wait": "30s", "timeout": "20s", **cache},
    }


@pytest.fixture(scope="session")
def cache_config():
    """Make the configuration of a router with a cache: ``cache_config(urls, listeners, request_body, path=…)``."""
    return settings


@dataclass(repr=False)
class Cached:
    """A running router with a cache, and the backends behind it."""

    router: Any
    backends: dict[str, Any]

    @property
    def received(self) -> list[Any]:
        """The requests that any backend got."""
        return [request for backend in self.backends.values() for request in backend.requests]

    def body(self, question: str, **fields: object) -> dict:
        return {"model": "auto", "messages": [{"role": "user", "content": question}], **fields}

    def headers(self, user: str | None = "ann") -> dict[str, str]:
        return {} if user is None else {"authorization": f"Bearer {user}"}

    async def ask(self, question: str, user: str | None = "ann", headers: dict | None = None, **fields) -> Answer:
        own = self.headers(user) | (headers or {})
        return Answer(await self.router.http.post(CHAT, json=self.body(question, **fields), headers=own))

    async def outcome(
        self, question: str, user: str | None = "ann", headers: dict | None = None, **fields
    ) -> str | None:
        """Ask, and tell only what came of it."""
        return (await self.ask(question, user, headers, **fields)).outcome

    def stream(self, question: str) -> Any:
        """Ask for a stream that is read while it comes."""
        body = self.body(question, stream=True)
        return self.router.http.stream("POST", CHAT, json=body, headers=self.headers())

    async def forget(self) -> None:
        answer = await self.router.http.post(f"{self.router.address('api')}/api/v1/cache/invalidate", json={})
        assert answer.status_code == 200


@dataclass(repr=False)
class Answer:
    """What a client got."""

    http: httpx.Response

    @property
    def outcome(self) -> str | None:
        """The layer that answered, or why none did; None when the cache was not asked."""
        layer, reason = (self.http.headers.get(f"x-vsr-cache-{name}") for name in ("layer", "miss"))
        told = self.http.headers.get("x-vsr-cache-hit")
        assert told == ("true" if layer else "false" if reason else None)
        return layer or reason

    @property
    def message(self) -> dict:
        (choice,) = self.http.json()["choices"]
        return choice["message"]

    @property
    def content(self) -> str:
        return self.message["content"]


@pytest.fixture(scope="session")
def answering():
    """Make the answer of a backend that says ``text``."""

    def made(text: str) -> dict:
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        return {"id": "chatcmpl-9", "object": "chat.completion", "created": 1, "model": "a", "choices": [choice]}

    return made


@pytest.fixture(scope="session")
def cached_by():
    """Take a router of one's own for one of these: ``cached_by(router, backends)``."""
    return Cached


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def cache_roads(listeners, open_road):
    """Routers with a cache, one a mode of ``envoy.request_body``, started when first wanted."""
    running = {}
    async with contextlib.AsyncExitStack() as stack:

        async def get(request_body):
            if request_body not in running:
                opening = open_road(("a", "b"), lambda urls: settings(urls, listeners(), request_body))
                running[request_body] = await stack.enter_async_context(opening)
            return running[request_body]

        yield get


@pytest_asyncio.fixture(loop_scope="session")
async def cached(cache_roads, request):
    """A router with an empty cache, and backends that remember nothing."""
    road = await cache_roads(getattr(request, "param", "buffered"))
    await road.reset()
    found = Cached(road.router, road.backends)
    await found.forget()
    return found
