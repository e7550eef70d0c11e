"""The life of ``waypost serve``: start, drain, interruption, and what is left when it is gone."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys

import pytest

from serving import watched

pytestmark = pytest.mark.asyncio(loop_scope="session")

CHAT = "/v1/chat/completions"
HELLO = {"model": "MoM", "messages": [{"role": "user", "content": "hello"}]}


async def test_the_start_up_block_says_what_runs(serve, simple, backend):
    a = await backend(name="a")
    config = simple({"a": [a.url]})
    router = await serve(config)
    said = "\n".join(router.said)
    status, ready = await router.ready()
    assert (status, ready["checks"]) == (200, {"router": True, "envoy": True})
    assert said.startswith("waypost ")
    assert f"{router.path}  digest {ready['config']}" in said
    assert f"http://{config['listeners']['http']}/v1" in said
    assert "gRPC" not in said
    assert said.splitlines()[-1].startswith("ready in ")
    health = await router.http.get(f"{router.address('api')}/health")
    assert (health.status_code, health.json()["status"]) == (200, "healthy")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_drains_a_running_stream(serve, simple, backend, number):
    gate = asyncio.Event()
    a = await backend(name="a", gates={1: gate})
    router = await serve(simple({"a": [a.url]}))
    async with watched(*router.children()) as gone:
        async with router.http.stream("POST", CHAT, json={**HELLO, "stream": True}) as answer:
            lines = answer.aiter_lines()
            await anext(lines)
            router.process.send_signal(number)
            await router.says("draining")
            status, ready = await router.ready()
            assert (status, ready["checks"]["router"]) == (503, False)
            gate.set()
            assert [line async for line in lines if line][-1] == "data: [DONE]"
        assert await router.ends() == 0
        await gone()
    assert "Traceback" not in "\n".join(router.said)


async def test_the_second_signal_stops_at_once(serve, simple, backend):
    a = await backend(name="a", gates={1: asyncio.Event()})
    router = await serve(simple({"a": [a.url]}))
    async with watched(*router.children()) as gone:
        async with router.http.stream("POST", CHAT, json={**HELLO, "stream": True}) as answer:
            await anext(answer.aiter_lines())
            router.process.send_signal(signal.SIGINT)
            await router.says("draining")
            router.process.send_signal(signal.SIGINT)
            assert await router.ends() == 130
        await gone()
    assert not [line for line in router.said if "Traceback" in line or "Exception in" in line]


@pytest.mark.skipif(sys.platform != "linux", reason="needs prctl(2)")
async def test_a_killed_router_leaves_no_child(serve, simple, backend):
    a = await backend(name="a")
    router = await serve(simple({"a": [a.url]}))
    assert router.children()
    async with watched(*router.children()) as gone:
        router.process.kill()
        await gone()
    assert await router.ends() == -signal.SIGKILL


async def test_a_dead_envoy_is_replaced(serve, simple, backend):
    a = await backend(name="a")
    router = await serve(simple({"a": [a.url]}))
    (envoy,) = router.children()
    os.kill(envoy, signal.SIGKILL)
    await router.says("Envoy ended with code -9 and is started again")
    await router.until_metric("waypost_child_restarts_total", 1, child="envoy")
    async with asyncio.timeout(60):
        while (await router.ready())[0] != 200:
            await asyncio.sleep(0.02)
    assert (await router.http.post(CHAT, json=HELLO)).status_code == 200


@pytest.mark.parametrize("name", ["http", "extproc", "api", "metrics"])
async def test_a_taken_port_is_one_line_and_exit_code_3(serve, simple, name):
    config = simple({"a": ["http://127.0.0.1:1"]})
    host, port = config["listeners"][name].split(":")
    with socket.create_server((host, int(port))):
        router = await serve(config, ready=False)
        assert await router.ends() == 3
    (line, end) = router.said
    assert line == (
        f"waypost: port {port} on 127.0.0.1 is taken: stop what listens there, or choose another with listeners.{name}"
    )
    assert not end


async def test_a_wrong_configuration_is_told_before_anything_starts(serve, simple):
    router = await serve({**simple({"a": ["http://127.0.0.1:1"]}), "modles": {}}, ready=False)
    assert await router.ends() == 1
    assert "modles" in router.said[0]


async def test_a_signal_during_the_start_stops_it(serve, simple):
    router = await serve(simple({"a": ["http://127.0.0.1:1"]}), ready=False)
    async with asyncio.timeout(60):
        while not router.children():  # Envoy is being asked for its opinion, or started
            await asyncio.sleep(0.01)
    children = router.children()
    async with watched(*children) as gone:
        router.process.send_signal(signal.SIGINT)
        assert await router.ends() == 130
        await gone()
    assert not [line for line in router.said if "ready in" in line or "Traceback" in line]


async def test_without_envoy_the_rest_is_served(serve, simple):
    router = await serve(simple({"a": ["http://127.0.0.1:1"]}, envoy={"enabled": False}))
    assert router.children() == []
    status, ready = await router.ready()
    assert (status, ready["checks"]) == (200, {"router": True})
    router.process.send_signal(signal.SIGTERM)
    assert await router.ends() == 0
