"""A running Envoy follows a new configuration without losing a request."""

from __future__ import annotations

import asyncio
import contextlib

import httpx
import pytest

from waypost.config.units import HostPort
from waypost.errors import ConfigError

CHAT = "/v1/chat/completions"


@contextlib.asynccontextmanager
async def steady(client, model: str):
    """Keep four requests for ``model`` under way; yields their answers, and a way to wait for five more of each."""
    answers: list[list[httpx.Response]] = [[], [], [], []]
    progress = asyncio.Condition()

    async def load(mine: list[httpx.Response]) -> None:
        while True:
            answer = await client.post(CHAT, json={"model": model})
            async with progress:
                mine.append(answer)
                progress.notify_all()

    async def more() -> None:
        wanted = [len(each) + 5 for each in answers]
        async with progress:
            await progress.wait_for(
                lambda: all(len(each) >= count for each, count in zip(answers, wanted, strict=True))
            )

    tasks = [asyncio.create_task(load(mine)) for mine in answers]
    try:
        yield answers, more
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def test_models_come_and_go_under_load(backend, make_config, envoy, client, processor):
    math, code, moved = await backend(name="math"), await backend(name="code"), await backend(name="moved")
    first = make_config({"math": [math.url]})
    second = make_config({"math": [f"{moved.url}/openai"], "code": [code.url]})
    process = await envoy(first)
    requests = client(first)
    async with steady(requests, "math") as (answers, more):
        await more()
        await process.apply(second, [processor.address])
        assert (await requests.post(CHAT, json={"model": "code"})).status_code == 200
        await more()
        await process.retire()
        await more()
        await process.apply(first, [processor.address])
        await more()
        await process.retire()
        await more()
    assert {
        (answer.status_code, answer.text) for each in answers for answer in each if answer.status_code != 200
    } == set()
    assert {request.path for request in moved.requests} == {f"/openai{CHAT}"}
    assert {request.path for request in math.requests} == {CHAT}
    assert (await process.admin.stats(["cluster_manager.active_clusters"])).popitem()[1] == 2  # math and extproc


@pytest.mark.parametrize("silence", ["600s", "0s"])
async def test_a_running_answer_outlives_its_cluster_and_listener(
    backend, make_config, envoy, client, processor, silence
):
    gate = asyncio.Event()
    old, new = await backend(gates={1: gate}), await backend(name="new")
    first = make_config({"old": [old.url]}, envoy={"request_timeout": silence})
    second = make_config({"new": [new.url]}, envoy={"request_timeout": silence, "message_timeout": "9s"})
    process = await envoy(first)
    async with client(first).stream("POST", CHAT, json={"model": "old", "stream": True}) as answer:
        lines = answer.aiter_lines()
        await anext(lines)
        await process.apply(second, [processor.address])
        await process.retire()
        assert (await client(first).post(CHAT, json={"model": "new"})).status_code == 200
        gate.set()
        assert [line async for line in lines if line][-1] == "data: [DONE]"


async def test_a_model_that_left_is_served_until_it_is_retired(backend, make_config, envoy, client, processor):
    old, new = await backend(name="old"), await backend(name="new")
    process = await envoy(make_config({"old": [old.url]}))
    config = make_config({"new": [new.url]})
    await process.apply(config, [processor.address])
    await client(config).post(CHAT, json={"model": "old"})
    assert (len(old.requests), len(new.requests)) == (1, 0)
    await process.retire()
    await client(config).post(CHAT, json={"model": "old"})
    assert (len(old.requests), len(new.requests)) == (1, 1)


@pytest.mark.parametrize("what", ["validation", "listener"])
async def test_a_refused_update_leaves_the_old_one_in_force(
    backend, make_config, envoy, client, processor, monkeypatch, what
):
    math, code = await backend(name="math"), await backend(name="code")
    config = make_config({"math": [math.url]})
    process = await envoy(config)
    other = make_config({"code": [code.url]})
    if what == "listener":  # valid in itself, but the port is somebody else's
        taken = {"listeners": other.listeners.model_copy(update={"http": HostPort("127.0.0.1", math.port)})}
        other = other.model_copy(update=taken)
    else:
        monkeypatch.setattr("waypost.serve.envoy.listener.STATS", "")
    with pytest.raises(ConfigError, match="Envoy refuses it"):
        await process.apply(other, [processor.address])
    monkeypatch.undo()
    assert (await client(config).post(CHAT, json={"model": "math"})).status_code == 200
    assert not code.requests
    good = make_config({"code": [code.url]})
    await process.apply(good, [processor.address])
    assert (await client(good).post(CHAT, json={"model": "code"})).status_code == 200
    assert len(code.requests) == 1
