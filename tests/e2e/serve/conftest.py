"""``waypost serve`` as a real child process: real Envoy, real ExtProc, real encoder, recording backends.

Everything here lives in the session's event loop, so that one router can serve many tests. Their modules say
``pytestmark = pytest.mark.asyncio(loop_scope="session")``.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from serving import WAYPOST, Json, Serving, serving


@pytest.fixture(scope="session")
def waypost_command() -> Path:
    """The installed program."""
    return WAYPOST


@pytest.fixture(scope="session")
def listeners(free_port: Callable[[], int]) -> Callable[[], Json]:
    """Four free ports."""
    return lambda: {name: f"127.0.0.1:{free_port()}" for name in ("http", "extproc", "api", "metrics")}


@pytest.fixture(scope="session")
def simple(listeners: Callable[[], Json]) -> Callable[..., Json]:
    """A configuration without an encoder: ``simple({"a": [url]}, routing={…})`` routes by keywords ``@a``, ``@b``…"""

    def build(models: dict[str, list[str]], *, routing: Json | None = None, **sections: Any) -> Json:
        decisions = [{"name": f"to-{name}", "when": {"keyword": name}, "models": [{"model": name}]} for name in models]
        keywords = [{"name": name, "any": [f"@{name}"]} for name in models]
        return {
            "version": 1,
            "listeners": listeners(),
            "models": {name: {"endpoints": [{"url": url} for url in urls]} for name, urls in models.items()},
            "routing": {
                "default_model": next(iter(models)),
                "signals": {"keywords": keywords},
                "decisions": decisions,
                **(routing or {}),
            },
            **sections,
        }

    return build


@pytest_asyncio.fixture(loop_scope="session")
async def serve() -> AsyncIterator[Callable[..., Awaitable[Serving]]]:
    """Start routers of one's own: ``router = await serve(config)``; with ``ready=False``, do not wait for it."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(config: Json, *, ready: bool = True) -> Serving:
            router = await stack.enter_async_context(serving(config))
            if ready:
                await router.says("ready in")
            return router

        yield start


@pytest_asyncio.fixture(loop_scope="session")
async def backend(backends: Any) -> AsyncIterator[Callable[..., Awaitable[Any]]]:
    """Like the function's fixture of the same name, in the session's event loop."""
    async with backends() as start:
        yield start


POOL = ("math", "code", "law-health", "general")


def _road_config(urls: dict[str, str], listeners: Json, request_body: str) -> Json:
    """The demo's shape, over backends that tell what they were sent, with every kind of reasoning field."""
    pool = {name: {"endpoints": [{"url": urls[name]}]} for name in POOL}
    pool["math"] |= {"served_as": "org/Math-7B", "reasoning_family": "qwen3"}
    pool["code"] |= {"served_as": "org/Code-7B", "reasoning_family": "gpt-oss"}
    pool["law-health"] |= {"served_as": "org/Law-7B", "reasoning_family": "gpt-oss"}
    pool["general"] |= {"reasoning_family": "qwen3"}
    code = {"any": [{"domain": "computer science"}, {"keyword": "programming"}]}
    return {
        "version": 1,
        "listeners": listeners,
        "envoy": {"request_body": request_body, "message_timeout": "30s"},
        "models": pool,
        "reasoning_families": {
            "qwen3": {"type": "chat_template_kwargs", "parameter": "enable_thinking"},
            "gpt-oss": {"type": "reasoning_effort", "parameter": "reasoning_effort", "off": "low"},
        },
        "encoder": {"deadline": "20s"},  # the tests' machine may be busy
        "routing": {
            "default_model": "general",
            "signals": {"keywords": [{"name": "programming", "any": ["python", "编程"]}]},
            "decisions": [
                {
                    "name": "code",
                    "priority": 110,
                    "when": code,
                    "models": [{"model": "general", "score": 0.4}, {"model": "code", "score": 0.9, "reasoning": False}],
                    "system_prompt": {"text": "You are a programmer."},
                },
                {
                    "name": "math",
                    "priority": 100,
                    "when": {"domain": ["math", "physics", "chemistry", "engineering"]},
                    "models": [{"model": "math", "score": 0.9, "reasoning": True}, {"model": "code", "score": 0.5}],
                    "system_prompt": {"text": "You are a mathematician.", "mode": "insert"},
                },
                {
                    "name": "law-and-health",
                    "priority": 100,
                    "when": {"domain": ["law", "health"]},
                    "models": [{"model": "law-health", "score": 0.8, "reasoning": True, "effort": "high"}],
                    "system_prompt": {"text": "Be careful.", "mode": "replace"},
                },
                {"name": "general", "models": [{"model": "general", "score": 0.7, "reasoning": False}]},
            ],
        },
    }


@dataclass(repr=False)
class Road:
    """A running router and, by model, the backends behind it."""

    router: Serving
    backends: dict[str, Any]

    @property
    def http(self) -> httpx.AsyncClient:
        return self.router.http

    @property
    def received(self) -> list[tuple[str, Any]]:
        """What arrived anywhere, as (model, request)."""
        return [(name, request) for name, backend in self.backends.items() for request in backend.requests]

    async def reset(self) -> None:
        """Forget the last test, whatever it left."""
        for name, backend in self.backends.items():
            if not backend.listens:
                await backend.start()
            fresh = type(backend)(name=name)
            for changed in ("status", "answer", "pieces", "gates", "before", "reset", "requests", "aborted"):
                setattr(backend, changed, getattr(fresh, changed))


OpenRoad = Callable[[Iterable[str], Callable[[dict[str, str]], Json]], contextlib.AbstractAsyncContextManager[Road]]


@pytest.fixture(scope="session")
def open_road(backends: Any) -> OpenRoad:
    """Run backends, and a router in front of them, for as long as an ``async with`` lasts.

    ``open_road(names, configure)``: ``configure`` is given the backends' URLs by name.
    """

    @contextlib.asynccontextmanager
    async def opened(names: Iterable[str], configure: Callable[[dict[str, str]], Json]) -> AsyncIterator[Road]:
        async with backends() as start:
            pool = {name: await start(name=name) for name in names}
            async with serving(configure({name: each.url for name, each in pool.items()})) as router:
                await router.says("ready in")
                yield Road(router, pool)

    return opened


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def roads(listeners: Callable[[], Json], open_road: OpenRoad) -> AsyncIterator[Callable[[str], Awaitable[Road]]]:
    """Routers that live as long as the session, one a mode of ``envoy.request_body``, started when first wanted."""
    running: dict[str, Road] = {}
    async with contextlib.AsyncExitStack() as stack:

        async def road(request_body: str) -> Road:
            if request_body not in running:
                opening = open_road(POOL, lambda urls: _road_config(urls, listeners(), request_body))
                running[request_body] = await stack.enter_async_context(opening)
            return running[request_body]

        yield road


@pytest_asyncio.fixture(loop_scope="session")
async def road(roads: Callable[[str], Awaitable[Road]], request: pytest.FixtureRequest) -> Road:
    """The shared router, with backends that remember nothing; ``parametrize(…, indirect=True)`` chooses its mode."""
    found = await roads(getattr(request, "param", "buffered"))
    await found.reset()
    return found
