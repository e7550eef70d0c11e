"""The configuration changes while requests are under way."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.asyncio(loop_scope="session")

CHAT = "/v1/chat/completions"


def chat(text: str, **fields: object) -> dict:
    return {"model": "MoM", "messages": [{"role": "user", "content": text}], **fields}


async def applied(router, count: int) -> None:
    await router.until_metric("waypost_config_reloads_total", count, result="applied")


@contextlib.asynccontextmanager
async def load(router, text: str):
    """Four clients that ask ``text`` without a pause; yields their answers, and a way to wait for ten more."""
    answers: list[httpx.Response] = []
    progress = asyncio.Condition()

    async def ask() -> None:
        while True:
            answer = await router.http.post(CHAT, json=chat(text))
            async with progress:
                answers.append(answer)
                progress.notify_all()

    async def more() -> None:
        wanted = len(answers) + 10
        async with asyncio.timeout(60), progress:
            await progress.wait_for(lambda: len(answers) >= wanted)

    tasks = [asyncio.create_task(ask()) for _ in range(4)]
    try:
        yield answers, more
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    assert {task.exception() for task in tasks if not task.cancelled()} == set()


def write_unwatched(path: Path, config: dict) -> None:
    """Change what ``path`` says in another directory than its own, so that no change of a file is seen."""
    target = path.with_name("elsewhere") / path.name
    target.parent.mkdir()
    target.write_bytes(path.read_bytes())
    link = path.with_name("link")
    link.symlink_to(target)
    link.replace(path)
    target.write_text(json.dumps(config), "utf-8")


@pytest.mark.parametrize("how", ["file", "SIGHUP"])
async def test_a_new_route_is_in_force_without_a_failed_request(serve, simple, backend, how):
    a, b = await backend(name="a"), await backend(name="b")
    config = simple({"a": [a.url]})
    router = await serve(config)
    wider = simple({"a": [a.url], "b": [b.url]}) | {"listeners": config["listeners"]}
    async with load(router, "@b") as (answers, more):
        await more()
        if how == "file":
            router.write(wider)
        else:
            write_unwatched(router.path, wider)
            router.process.send_signal(signal.SIGHUP)
        await applied(router, 1)
        await more()
        router.write(config)
        await applied(router, 2)
        await more()
    assert {answer.status_code for answer in answers} == {200}
    models = [answer.headers["x-vsr-selected-model"] for answer in answers]
    assert (models[0], "b" in models, models[-1]) == ("a", True, "a")
    for model, answer in zip(models, answers, strict=True):
        assert f"Hello from {model}" in answer.text  # each answer came from where the router sent its request
    assert await router.metric("waypost_config_reloads_total", result="rejected") == 0
    assert (await router.ready())[1]["reload_error"] is None


async def test_a_running_answer_ends_as_it_began(serve, simple, backend):
    gate = asyncio.Event()
    a, b = await backend(name="a", gates={1: gate}), await backend(name="b")
    config = simple({"a": [a.url]})
    router = await serve(config)
    async with router.http.stream("POST", CHAT, json=chat("@a", stream=True)) as answer:
        lines = answer.aiter_lines()
        await anext(lines)
        router.write(simple({"b": [b.url]}) | {"listeners": config["listeners"]})
        await applied(router, 1)
        assert (await router.http.post(CHAT, json=chat("@b"))).headers["x-vsr-selected-decision"] == "to-b"
        gate.set()
        assert [line async for line in lines if line][-1] == "data: [DONE]"
    gone = await router.http.post(CHAT, json=chat("@a") | {"model": "a"})
    assert gone.json()["error"]["code"] == "model_not_found"


BROKEN = {
    "no yaml": ("models: [", "waypost.yaml:"),
    "an unknown key": ({"modles": {}}, "did you mean"),
    "a dangling name": ({"routing": {"default_model": "z"}}, "routing.default_model"),
    "a fixed key": ({"envoy": {"concurrency": 2}}, "takes effect only at a restart: envoy.concurrency"),
}


async def test_a_broken_reload_keeps_the_old_configuration_and_says_so(serve, simple, backend):
    a = await backend(name="a")
    config = simple({"a": [a.url]})
    router = await serve(config)
    digest = (await router.ready())[1]["config"]
    for count, (change, words) in enumerate(BROKEN.values(), start=1):
        router.write(change if isinstance(change, str) else {**config, **change})
        await router.until_metric("waypost_config_reloads_total", count, result="rejected")
        line = await router.says("reload refused", count)
        status, ready = await router.ready()
        assert words in line
        assert words in ready["reload_error"]
        assert (status, ready["status"], ready["config"]) == (200, "ready", digest)
        answer = await router.http.post(CHAT, json=chat("@a"))
        assert (answer.status_code, answer.headers["x-vsr-selected-decision"]) == (200, "to-a")

    router.write({**config, "observability": {"logs": {"format": "json"}}})
    await applied(router, 1)
    status, ready = await router.ready()
    assert (status, ready["reload_error"]) == (200, None)
    assert ready["config"] != digest
    assert json.loads(await router.says('"message": "configuration reloaded"'))["digest"] == ready["config"]
