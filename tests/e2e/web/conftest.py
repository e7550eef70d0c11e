"""The dashboard in a real browser, Debian's chromium, over a real ``waypost serve`` and recording backends.

Everything lives in the session's event loop, so that one router and one browser serve all tests.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from serving import PATIENCE, Json, serving

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
WORDS = Path(__file__).parents[3] / "src" / "waypost" / "web" / "i18n"


@dataclass(repr=False)
class Router:
    """A running router, its configuration file, and the backends behind it by the name of their model."""

    url: str
    path: Path
    backends: dict[str, Any]


@dataclass(repr=False)
class Opened:
    """A page of the dashboard, and all that it said and asked for."""

    page: Any
    words: Json
    router: Router
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    async def go(self, where: str) -> None:
        """Open a page of the dashboard and wait until it shows what it has."""
        await self.page.goto(f"{self.router.url}/#/{where}")
        await self.page.locator("main h1").wait_for()
        await self.page.locator("main:not(:has(.waiting))").wait_for()

    def button(self, key: str) -> Any:
        return self.page.get_by_role("button", name=self.words[key], exact=True)


def _config(pool: dict[str, Any], listeners: Json, directory: Path) -> Json:
    prices = {
        "plain": {"prompt_per_1m": 10, "completion_per_1m": 30},
        "maths": {"prompt_per_1m": 1, "completion_per_1m": 3},
    }
    sums = {"name": "sums", "any": ["sum", "add", "prove", "证明"]}
    return {
        "version": 1,
        "listeners": listeners,
        "models": {name: {"endpoints": [{"url": each.url}], "pricing": prices[name]} for name, each in pool.items()},
        "encoder": {"deadline": "20s"},  # the tests' machine may be busy
        "routing": {
            "default_model": "plain",
            "signals": {"keywords": [sums], "lengths": [{"name": "short", "max_tokens": 100}]},
            "decisions": [
                {
                    "name": "calculate",
                    "priority": 10,
                    "when": {"all": [{"keyword": "sums"}, {"not": {"language": "de"}}]},
                    "models": [{"model": "maths"}],
                    "system_prompt": {"text": "You are a mathematician."},
                },
                {"name": "rest", "models": [{"model": "plain"}]},
            ],
        },
        "observability": {"records": {"path": str(directory / "records.jsonl")}},
        "guard": {"jailbreak": {"action": "block"}, "pii": {"action": "mask"}},
    }


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def start(
    free_port: Callable[[], int], backends: Any, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Callable[..., Awaitable[Router]]]:
    """Start routers that live as long as the session: ``await start(environ={…}, api={…})``."""
    async with contextlib.AsyncExitStack() as stack:
        backend = await stack.enter_async_context(backends())

        async def begin(*, environ: dict[str, str] | None = None, **sections: Any) -> Router:
            directory = tmp_path_factory.mktemp("router")
            listeners = {name: f"127.0.0.1:{free_port()}" for name in ("http", "extproc", "api", "metrics")}
            pool = {name: await backend(name=name) for name in ("plain", "maths")}
            config = _config(pool, listeners, directory) | sections
            running = await stack.enter_async_context(serving(config, env=environ))
            await running.says("ready in")
            return Router(running.address("api"), running.path, pool)

        yield begin


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def router(start: Callable[..., Awaitable[Router]]) -> Router:
    """The router that most tests share."""
    return await start()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def guarded(start: Callable[..., Awaitable[Router]], tokens: dict[str, str]) -> Router:
    """A router that wants tokens."""
    named = [{"name": role, "env": role.upper(), "role": role} for role in tokens]
    return await start(environ={role.upper(): token for role, token in tokens.items()}, api={"tokens": named})


@pytest.fixture(scope="session")
def tokens() -> dict[str, str]:
    """Those of :func:`guarded`, by their role."""
    return {role: f"{role}-token-of-some-length" for role in ("read", "operate")}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Any]:
    """One headless chromium."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed, so NO PAGE OF THE DASHBOARD IS TESTED: apt-get install chromium")
    playwright = pytest.importorskip("playwright.async_api", reason="playwright is not installed")
    async with playwright.async_playwright() as driver:
        launched = await driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        await launched.close()


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browser: Any, router: Router) -> AsyncIterator[Callable[..., Awaitable[Opened]]]:
    """Open pages: ``await visit("live", language="zh", width=380)``.

    At the end, none may have said an error or asked any other address than the router's.
    """
    async with contextlib.AsyncExitStack() as stack:
        all_opened: list[Opened] = []

        async def open_page(
            where: str, *, language: str = "en", width: int = 1280, at: Router = router, wait: bool = True, **more: Any
        ) -> Opened:
            locale = {"en": "en-GB", "zh": "zh-CN"}[language]
            context = await browser.new_context(locale=locale, viewport={"width": width, "height": 900}, **more)
            stack.push_async_callback(context.close)
            words = json.loads((WORDS / f"{language}.json").read_text("utf-8"))
            opened = Opened(await context.new_page(), words, at)
            opened.page.set_default_timeout(PATIENCE * 1000)
            opened.page.on("console", lambda said: opened.errors.append(said.text) if said.type == "error" else None)
            opened.page.on("pageerror", lambda error: opened.errors.append(str(error)))
            opened.page.on("request", lambda request: opened.requests.append(request.url))
            all_opened.append(opened)
            if wait:
                await opened.go(where)
            else:
                await opened.page.goto(f"{at.url}/#/{where}")
            return opened

        yield open_page
        for opened in all_opened:
            assert opened.errors == []
            assert [url for url in opened.requests if not url.startswith(opened.router.url)] == []
