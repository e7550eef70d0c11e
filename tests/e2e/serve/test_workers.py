"""``waypost serve --workers``: several processes that route, and one that watches over them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path

import grpc
import httpx
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from serving import watched

pytestmark = pytest.mark.asyncio(loop_scope="session")

CHAT = "/v1/chat/completions"
WORKERS = 3


@pytest.fixture(autouse=True)
def several(monkeypatch):
    monkeypatch.setenv("WAYPOST_WORKERS", str(WORKERS))


@pytest.fixture
def wide(simple, free_port):
    """``simple``, with free ports for all workers."""

    def build(models, **sections):
        config = simple(models, **sections)
        config["listeners"]["extproc"] = f"127.0.0.1:{free_port(WORKERS)}"
        return config

    return build


def _ports(config) -> list[int]:
    first = int(config["listeners"]["extproc"].rpartition(":")[2])
    return list(range(first, first + WORKERS))


def chat(text: str, **fields: object) -> dict:
    return {"model": "MoM", "messages": [{"role": "user", "content": text}], **fields}


async def until(condition) -> None:
    async with asyncio.timeout(60):
        while not await condition():
            await asyncio.sleep(0.02)


def alive(router, count: int):
    async def condition() -> bool:
        status, ready = await router.ready()
        return (status, ready["workers"]) == (200, {"alive": count, "wanted": WORKERS})

    return condition


def served(router):
    async def condition() -> bool:
        return (await router.http.post(CHAT, json=chat("hello"))).status_code == 200

    return condition


def failures(answers) -> list:
    return [answer for answer in answers if answer.status_code != 200]


@contextlib.asynccontextmanager
async def load(router, text: str, clients: int = 6, broken: list | None = None):
    """Clients that ask without a pause; yields their answers, and a way to wait for more of them.

    ``broken``: where the answers go that may end before they are whole.
    """
    answers = []
    progress = asyncio.Condition()

    async def ask() -> None:
        while True:
            try:
                answer = await router.http.post(CHAT, json=chat(text))
            except httpx.RemoteProtocolError as error:
                if broken is None:
                    raise
                broken.append(error)
                continue
            async with progress:
                answers.append(answer)
                progress.notify_all()

    async def more(count: int = 20) -> None:
        wanted = len(answers) + count
        async with asyncio.timeout(60), progress:
            await progress.wait_for(lambda: len(answers) >= wanted)

    tasks = [asyncio.create_task(ask()) for _ in range(clients)]
    try:
        yield answers, more
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    assert {task.exception() for task in tasks if not task.cancelled()} == set()


async def test_all_of_them_get_requests_and_one_tells_for_all(serve, wide, backend, tmp_path):
    a = await backend(name="a")
    records = tmp_path / "records.jsonl"
    observability = {"logs": {"requests": "all"}, "records": {"path": str(records)}}
    router = await serve(wide({"a": [a.url]}, observability=observability))
    assert f"  workers   {WORKERS}" in router.said
    answers = await asyncio.gather(*(router.http.post(CHAT, json=chat("@a")) for _ in range(60)))
    assert {answer.status_code for answer in answers} == {200}
    await router.until_metric("llm_model_requests_total", 60, model="MoM")
    assert await router.metric("waypost_workers") == WORKERS
    assert await router.metric("waypost_requests_active") == 0
    page = await router.http.get(f"{router.address('api')}/api/v1/metrics")
    assert 'llm_model_requests_total{model="MoM"} 60.0' in page.text
    served = Counter(line.rpartition("worker=")[2].split()[0] for line in router.said if "worker=" in line)
    assert served.keys() == {"0", "1", "2"}
    assert sum(served.values()) >= 60

    async def recorded() -> bool:
        told = (await router.http.get(f"{router.address('api')}/api/v1/records?limit=500")).json()["records"]
        return len(told) == 60

    await until(recorded)
    lines = [json.loads(line) for line in records.read_text().splitlines()]
    assert sum("config" in line for line in lines) == WORKERS


async def test_the_api_tells_what_all_of_them_found_in_the_cache(serve, wide, backend, redis_servers):
    a = await backend(name="a")
    with redis_servers() as redis:
        cache = {"backend": "redis", "url": redis.url, "scope": "global", "timeout": "2s"}
        router = await serve(wide({"a": [a.url]}, cache=cache))

        async def stats() -> dict:
            return (await router.http.get(f"{router.address('api')}/api/v1/cache/stats")).json()

        async def kept() -> bool:
            return (await stats())["entries"] == 1

        await router.http.post(CHAT, json=chat("@a How do I bake bread?"))
        await until(kept)
        await asyncio.gather(*(router.http.post(CHAT, json=chat("@a How do I bake bread?")) for _ in range(30)))
        assert len(a.requests) == 1

        async def told() -> bool:
            found = await stats()
            return (found["hits"], found["misses"]) == ({"exact": 30}, {"absent": 1})

        await until(told)


async def test_workers_that_are_all_too_slow_for_envoy_are_asked_nevertheless(serve, wide, backend):
    a = await backend(name="a")
    router = await serve(wide({"a": [a.url]}, envoy={"message_timeout": "60s"}))
    workers, asking = router.workers().values(), []
    panics = "cluster.extproc.lb_healthy_panic"  # Envoy asks a worker although it holds all of them for dead
    before = await router.envoy(panics)
    for worker in workers:
        os.kill(worker, signal.SIGSTOP)
    async with asyncio.timeout(60):
        while await router.envoy(panics) == before:
            asking.append(asyncio.create_task(router.http.post(CHAT, json=chat("@a"))))
            await asyncio.sleep(0.1)
            assert not any(each.done() for each in asking)
    for worker in workers:
        os.kill(worker, signal.SIGCONT)
    answers = await asyncio.gather(*asking)
    assert {(each.status_code, each.headers.get("x-vsr-selected-model")) for each in answers} == {(200, "a")}
    assert await router.metric("waypost_child_restarts_total", child="worker") == 0
    assert await router.metric("waypost_model_endpoint_healthy", model="a", endpoint=a.url) == 1


@pytest.mark.parametrize("request_body", ["buffered", "full_duplex_streamed"])
async def test_a_killed_worker_takes_only_its_own_requests_along(serve, wide, backend, request_body):
    a = await backend(name="a")
    router = await serve(wide({"a": [a.url]}, envoy={"request_body": request_body}))
    before, counts, broken = router.workers(), [0.0], []
    async with load(router, "@a", broken=broken) as (answers, more):
        await more()
        for victim in range(2):
            async with watched(before[victim]) as gone:
                os.kill(before[victim], signal.SIGKILL)
                await gone()
            dying = failures(answers)  # until then its port still takes connections
            await more(40)
            assert len(failures(answers)) - len(dying) <= 2 * 6
            counts.append(await router.metric("waypost_responses_total"))
        await router.until_metric("waypost_child_restarts_total", 2, child="worker")
        await until(alive(router, WORKERS))
        await more(40)
        counts.append(await router.metric("waypost_responses_total"))
    failed = failures(answers)
    assert len(broken) <= 2 * 6  # the clients whose answer may have been inside
    assert all(answer.json()["error"]["code"] == "router_unavailable" for answer in failed)
    assert all("Hello from a" in answer.text for answer in answers if answer.status_code == 200)
    assert counts == sorted(counts)
    good = len(answers) - len(failed)
    assert good - 2 * 6 <= await router.metric("waypost_responses_total", status="200")
    await router.until_metric("waypost_requests_active", 0)
    after = router.workers()
    assert after.keys() == before.keys()
    assert [n for n in after if after[n] == before[n]] == [2]


async def test_a_reload_reaches_every_worker_without_a_failed_request(serve, wide, backend):
    a, b = await backend(name="a"), await backend(name="b")
    config = wide({"a": [a.url]})
    router = await serve(config)
    wider = wide({"a": [a.url], "b": [b.url]}) | {"listeners": config["listeners"]}
    async with load(router, "@b") as (answers, more):
        await more()
        router.write(wider)
        await router.until_metric("waypost_config_reloads_total", 1, result="applied")
        done = len(answers) + 6
        await more(60)
    assert {answer.status_code for answer in answers} == {200}
    models = [answer.headers["x-vsr-selected-model"] for answer in answers]
    assert models[0] == "a"
    assert set(models[done:]) == {"b"}
    for model, answer in zip(models, answers, strict=True):
        assert f"Hello from {model}" in answer.text

    # One that starts later gets what is in force, not what stands in the file.
    router.write("models: [")
    await router.until_metric("waypost_config_reloads_total", 1, result="rejected")
    for worker in router.workers().values():
        os.kill(worker, signal.SIGKILL)
    await router.until_metric("waypost_child_restarts_total", WORKERS, child="worker")
    await until(alive(router, WORKERS))
    await until(served(router))  # Envoy has asked them how they are
    answers = await asyncio.gather(*(router.http.post(CHAT, json=chat("@b")) for _ in range(30)))
    assert {answer.headers.get("x-vsr-selected-model") for answer in answers if answer.status_code == 200} == {"b"}


async def test_a_running_answer_survives_a_reload_and_keeps_its_model(serve, wide, backend):
    gate = asyncio.Event()
    a, b = await backend(name="a", gates={1: gate}), await backend(name="b")
    config = wide({"a": [a.url]})
    router = await serve(config)
    async with router.http.stream("POST", CHAT, json=chat("@a", stream=True)) as answer:
        lines = answer.aiter_lines()
        await anext(lines)
        router.write(wide({"b": [b.url]}) | {"listeners": config["listeners"]})
        await router.until_metric("waypost_config_reloads_total", 1, result="applied")
        assert (await router.http.post(CHAT, json=chat("@b"))).headers["x-vsr-selected-model"] == "b"
        gate.set()
        assert [line async for line in lines if line][-1] == "data: [DONE]"


async def test_a_signal_drains_all_of_them(serve, wide, backend):
    gate = asyncio.Event()
    a = await backend(name="a", gates={1: gate})
    router = await serve(wide({"a": [a.url]}))
    children = router.children()
    async with router.http.stream("POST", CHAT, json=chat("@a", stream=True)) as answer:
        lines = answer.aiter_lines()
        await anext(lines)
        router.process.send_signal(signal.SIGTERM)
        await router.says("draining")
        gate.set()
        assert [line async for line in lines if line][-1] == "data: [DONE]"
    assert await router.ends() == 0
    assert not [child for child in children if Path(f"/proc/{child}").exists()]
    assert not [line for line in router.said if "Traceback" in line or "ERROR" in line]


@pytest.mark.skipif(sys.platform != "linux", reason="needs prctl(2)")
async def test_a_killed_supervisor_leaves_no_worker(serve, wide, backend):
    a = await backend(name="a")
    router = await serve(wide({"a": [a.url]}))
    children = router.children()
    assert len(children) == WORKERS + 1
    async with watched(*children) as gone:
        router.process.kill()
        assert await router.ends() == -signal.SIGKILL
        await gone()


async def test_without_envoy_each_serves_a_port_of_its_own_and_says_when_it_drains(serve, wide):
    config = wide({"a": ["http://127.0.0.1:1"]}, envoy={"enabled": False})
    router = await serve(config)
    for port in _ports(config):
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            ask = channel.unary_unary(
                "/grpc.health.v1.Health/Check",
                request_serializer=HealthCheckRequest.SerializeToString,
                response_deserializer=HealthCheckResponse.FromString,
            )
            assert (await ask(HealthCheckRequest())).status == HealthCheckResponse.SERVING
            if port == _ports(config)[-1]:
                router.process.send_signal(signal.SIGTERM)
                await router.says("draining")
                async with asyncio.timeout(60):
                    while (await ask(HealthCheckRequest())).status != HealthCheckResponse.NOT_SERVING:
                        await asyncio.sleep(0.02)
    assert await router.ends() == 0


async def test_a_cache_in_memory_is_refused_with_its_line(serve, wide):
    config = wide({"a": ["http://127.0.0.1:1"]}, cache={"scope": "global"})
    router = await serve(config, ready=False)
    assert await router.ends() == 1
    (line, _) = router.said
    number = next(n for n, text in enumerate(router.path.read_text().splitlines(), 1) if '"cache"' in text)
    assert f"waypost.yaml:{number}:" in line
    assert "a cache in memory belongs to one process, and --workers is 3" in line


async def test_a_port_of_a_worker_that_is_taken_is_one_line(serve, wide):
    config = wide({"a": ["http://127.0.0.1:1"]})
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", _ports(config)[1])
    async with server:
        router = await serve(config, ready=False)
        assert await router.ends() == 3
    (line, _) = router.said
    assert f"port {_ports(config)[1]} on 127.0.0.1 is taken" in line
