"""Client → waypost's Envoy → waypost → vllm-router → one of two replicas.

What kills a replica comes last: none is started again.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

Ask = Callable[..., Awaitable[httpx.Response]]

QUESTION = "What is the integral of x^2?"
KEY = {"authorization": "Bearer of-the-client"}

round_robin = pytest.mark.parametrize("stack", ["round_robin"], indirect=True)
by_session = pytest.mark.parametrize("stack", ["consistent_hash"], indirect=True)
both = pytest.mark.parametrize("stack", ["round_robin", "consistent_hash"], indirect=True)


@pytest.fixture(scope="module")
def waypost(start_waypost) -> Any:
    return start_waypost(True)


@pytest.fixture
async def client(waypost) -> AsyncIterator[httpx.AsyncClient]:
    url = waypost.address("http")
    async with httpx.AsyncClient(base_url=url, timeout=60, headers=KEY, trust_env=False) as made:
        yield made


@pytest.fixture
def ask(client) -> Ask:
    """``await ask("a question", user="u", stream=True, headers=…)``."""

    def ask(text: str = QUESTION, *, headers: dict[str, str] | None = None, **fields: Any) -> Awaitable[httpx.Response]:
        body = {"model": "MoM", "messages": [{"role": "user", "content": text}], **fields}
        return client.post("/v1/chat/completions", json=body, headers=headers)

    return ask


@both
async def test_a_routed_request_reaches_the_stack_under_its_own_model_name(stack, ask) -> None:
    answer = await ask()
    assert answer.status_code == 200, answer.text
    assert answer.json()["model"] == "Qwen/Qwen3-8B"
    assert answer.headers["x-vsr-selected-model"] == "qwen3-8b"
    assert (answer.headers["x-vsr-selected-decision"], answer.headers["x-vsr-selected-reasoning"]) == ("think", "on")
    plain = await ask("Write a short poem about autumn leaves.")
    assert (plain.headers["x-vsr-selected-decision"], plain.headers["x-vsr-selected-reasoning"]) == ("answer", "off")


@round_robin
async def test_round_robin_uses_every_replica_alike(stack, ask, answered_by) -> None:
    answers = [await ask() for _ in range(8)]
    assert set(Counter(answered_by(each.text) for each in answers).values()) == {4}


@by_session
async def test_a_user_stays_on_one_replica(stack, ask, answered_by) -> None:
    """``x-user-id`` passes through Envoy and waypost as the client sent it, and is what the request router hashes."""
    seen = {}
    for user in "abcdefghijklmnopqrst":  # ports differ each time, and so does who hashes where
        answers = [await ask(f"question {number}", headers={"x-user-id": user}) for number in range(2)]
        (seen[user],) = {answered_by(each.text) for each in answers}
    assert set(seen.values()) == set(stack.replicas)


@by_session
async def test_the_field_user_does_not_make_a_session(stack, ask, answered_by) -> None:
    """Every request through Envoy has an x-request-id, which the request router prefers to the body's ``user``."""
    answers = [await ask(user="somebody") for _ in range(24)]
    assert {answered_by(each.text) for each in answers} == set(stack.replicas)


@round_robin
async def test_a_stream_is_complete(stack, ask) -> None:
    answer = await ask(stream=True)
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [line for line in answer.text.splitlines() if line.startswith("data: ")]
    assert len(events) > 10
    assert events[-1] == "data: [DONE]"


@round_robin
async def test_health_and_metrics(stack, waypost, ask) -> None:
    await ask()
    async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
        assert (await http.get(f"{stack.url}/health")).status_code == 200
        assert (await http.get(f"{waypost.address('api')}/ready")).json()["status"] == "ready"
        assert 'model="qwen3-8b"' in (await http.get(f"{waypost.address('metrics')}/metrics")).text


@by_session
async def test_a_users_first_request_after_a_kill_is_answered(stack, ask, answered_by) -> None:
    """Though nothing else has opened the breaker of the dead replica."""
    owners = {name: answered_by((await ask(headers={"x-user-id": name})).text) for name in "abcdefgh"}
    victim = owners["a"]
    stack.kill(victim)
    answers = [await ask(headers={"x-user-id": name}) for name in owners]
    assert [each.status_code for each in answers] == [200] * len(owners)
    assert victim not in {answered_by(each.text) for each in answers}


@round_robin
async def test_a_replica_killed_under_load_loses_no_request(stack, ask, answered_by) -> None:
    victim, survivor = stack.replicas
    answers: list[httpx.Response] = []
    enough = asyncio.Event()

    async def user() -> None:
        for _ in range(20):
            answers.append(await ask())
            if len(answers) == 40:
                enough.set()

    async with asyncio.timeout(100), asyncio.TaskGroup() as users:
        for _ in range(8):
            users.create_task(user())
        await enough.wait()
        stack.kill(victim)
    assert Counter(each.status_code for each in answers) == {200: 160}
    assert answered_by((await ask()).text) == survivor


@round_robin
async def test_a_stream_whose_replica_dies_does_not_look_complete(stack, client) -> None:
    """Nobody can continue it elsewhere: the client must be able to tell, and ask again."""
    seen: list[bytes] = []

    async def listen() -> None:
        body = {"model": "MoM", "stream": True, "messages": [{"role": "user", "content": QUESTION * 40}]}
        async with client.stream("POST", "/v1/chat/completions", json=body) as answer:
            async for piece in answer.aiter_bytes():
                seen.append(piece)
                for port in stack.replicas:  # it is live: the replica is still speaking
                    stack.kill(port)

    with pytest.raises(httpx.RemoteProtocolError):
        await listen()
    assert seen
    assert b"[DONE]" not in b"".join(seen)
