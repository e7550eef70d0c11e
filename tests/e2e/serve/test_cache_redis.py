"""Routers that share a real Redis, which dies, hangs and comes back while requests come in."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter

import httpx
import pytest
import pytest_asyncio

pytestmark = pytest.mark.asyncio(loop_scope="session")

CHAT = "/v1/chat/completions"
CLIENTS = 8
BREAD = "How do I bake bread?"
MISSES = "waypost_cache_results_total"


def settings(urls, listeners, redis_url, **cache):
    return {
        "version": 1,
        "listeners": listeners,
        "encoder": {"deadline": "30s"},  # the tests' machine may be busy
        "models": {name: {"endpoints": [{"url": url}]} for name, url in urls.items()},
        "routing": {"default_model": "a"},
        "cache": {"backend": "redis", "url": redis_url, "timeout": "250ms", "wait": "1s", **cache},
    }


@pytest.fixture(scope="module")
def redis(redis_servers):
    with redis_servers() as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def first(listeners, open_road, redis):
    """The router that this module's tests share, and the backend of all."""
    async with open_road(("a",), lambda urls: settings(urls, listeners(), redis.url)) as road:
        road.backends["a"].answer = repeated
        yield road


def repeated(request):
    """The answer of a backend that repeats the question."""
    message = {"role": "assistant", "content": request.json["messages"][-1]["content"]}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "a", "choices": [choice]}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def second(listeners, open_road, first, redis):
    """Another router beside it; only what it listens to is different. The last test kills it."""
    urls = {"a": first.backends["a"].url}
    async with open_road((), lambda _: settings(urls, listeners(), redis.url)) as road:
        yield road.router


async def ask(router, question: str, user: str = "ann") -> httpx.Response:
    body = {"model": "auto", "messages": [{"role": "user", "content": question}]}
    return await router.http.post(CHAT, json=body, headers={"authorization": f"Bearer {user}"})


def outcome(answer: httpx.Response) -> str:
    """The layer that answered, or why none did."""
    return answer.headers.get("x-vsr-cache-layer") or answer.headers["x-vsr-cache-miss"]


class Load:
    """Clients that ask one question each, again and again, and look at every answer."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        """Outcomes since :meth:`until` was last called."""
        self.outcomes: set[str] = set()
        self.wrong: list[str] = []
        self.running = True
        self._progress = asyncio.Condition()

    async def client(self, router, number: int) -> None:
        question = f"How do I reset the password of my account at shop number {number}?"
        while self.running:
            answer = await ask(router, question, f"user {number}")
            if answer.status_code != 200 or said(answer) != question:
                self.wrong.append(f"{answer.status_code}: {answer.text}")
            async with self._progress:
                self.outcomes.add(outcome(answer))
                self.seen[outcome(answer)] += 1
                self._progress.notify_all()

    async def until(self, *outcomes: str) -> None:
        """Wait until one of these has come of as many requests as there are clients, from now on."""
        self.seen.clear()
        async with asyncio.timeout(60), self._progress:
            await self._progress.wait_for(lambda: sum(self.seen[each] for each in outcomes) >= CLIENTS)


def said(answer: httpx.Response) -> str:
    return answer.json()["choices"][0]["message"]["content"]


@contextlib.asynccontextmanager
async def load(router):
    """Ask without a pause; not one request may fail, or get the answer to another."""
    generated = Load()
    async with asyncio.TaskGroup() as group:
        for number in range(CLIENTS):
            group.create_task(generated.client(router, number))
        try:
            yield generated
        finally:
            generated.running = False
    assert generated.wrong == []


async def test_two_routers_share_what_they_store_and_what_they_forget(first, second):
    one, other = first.router, second
    assert outcome(await ask(one, "How do I reset my password?")) == "absent"
    assert outcome(await ask(one, "How do I reset my password?")) == "exact"
    assert outcome(await ask(other, "How do I reset my password?")) == "exact"
    assert outcome(await ask(other, "How can I reset my password?")) == "similar"
    assert outcome(await ask(other, "How do I reset my password?", "eve")) == "absent"

    assert outcome(await ask(other, BREAD)) == "dissimilar"
    assert outcome(await ask(other, BREAD)) == "exact"
    assert outcome(await ask(one, "How can I bake bread?")) == "similar"

    forget = f"{other.address('api')}/api/v1/cache/invalidate"
    assert (await other.http.post(forget, json={"user": "Bearer ann"})).json() == {"dropped": 2}
    assert outcome(await ask(one, "How can I reset my password?")) == "absent"
    assert outcome(await ask(one, "How do I reset my password?", "eve")) == "exact"


async def test_killed_hung_and_started_again_under_load_it_costs_hits_and_no_request(first, redis):
    router = first.router
    down, slow = [await router.metric(MISSES, reason=reason) for reason in ("store_down", "store_slow")]
    async with load(router) as clients:
        await clients.until("exact")
        redis.kill()
        await clients.until("store_down", "store_slow")
        redis.start()
        await clients.until("exact")
        redis.hang()
        await clients.until("store_down", "store_slow")
        redis.go_on()
        await clients.until("exact")
        assert set(clients.outcomes) <= {"absent", "exact", "similar", "store_down", "store_slow"}
    assert await router.metric(MISSES, reason="store_down") > down
    assert await router.metric(MISSES, reason="store_slow") > slow
    assert (await router.ready())[0] == 200


async def test_a_hung_server_holds_no_request_up(first, redis):
    """Half a minute would be the doing of a timeout that is not ours; the configured one is 250 ms."""
    loop = asyncio.get_running_loop()
    redis.hang()
    try:
        began = loop.time()
        answers = [await ask(first.router, f"How do I open account {number}?") for number in range(8)]
        assert loop.time() - began < 30
    finally:
        redis.go_on()
    assert {answer.status_code for answer in answers} == {200}
    assert {outcome(answer) for answer in answers} <= {"store_down", "store_slow"}


async def test_one_router_dies_under_load_and_the_other_goes_on(first, second):
    async def until_it_dies(number):
        with contextlib.suppress(httpx.TransportError):
            while True:
                answer = await ask(second, BREAD, f"user {number}")
                # Its Envoy ends a moment after it, and says so meanwhile.
                assert answer.status_code == 200 or answer.json()["error"]["code"] == "router_unavailable"

    async with load(first.router) as clients:
        others = [asyncio.create_task(until_it_dies(number)) for number in range(CLIENTS)]
        await clients.until("exact")
        second.process.kill()
        await asyncio.gather(*others)
        await clients.until("exact")
        assert outcome(await ask(first.router, BREAD, "user 1")) == "exact"  # what the dead one stored
