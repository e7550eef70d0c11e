"""The order of the parts at the start, and what is left when one of them fails. Whole routers are for tests/e2e."""

from __future__ import annotations

import asyncio
import socket
from types import SimpleNamespace

import httpx
import pytest

from waypost.errors import SetupError
from waypost.serve import router as module
from waypost.serve.router import Router


@pytest.fixture
def listeners():
    """Free ports; all are held until all are known, so that none is found twice."""
    names = ("http", "extproc", "api", "metrics")
    held = [socket.create_server(("127.0.0.1", 0)) for _ in names]
    try:
        return {name: f"127.0.0.1:{each.getsockname()[1]}" for name, each in zip(names, held, strict=True)}
    finally:
        for each in held:
            each.close()


@pytest.fixture
async def make(load_config, listeners, tmp_path):
    made: list[Router] = []

    def make(**sections) -> Router:
        sections = {"listeners": listeners, "envoy": {"enabled": False}} | sections
        made.append(Router(load_config("a", **sections), tmp_path))
        return made[-1]

    yield make
    for router in made:
        await router.drain()
        await router.kill()


class Demo:
    """A child of which it depends on the test whether it gets ready."""

    def __init__(self) -> None:
        self.spawned = asyncio.Event()
        self.ready = asyncio.Event()
        self.killed = asyncio.Event()

    async def spawn(self, *_) -> Demo:
        self.spawned.set()
        return self

    async def until(self, *_) -> None:
        await self.ready.wait()

    async def wait(self) -> int:
        await self.killed.wait()
        return -9

    async def kill(self) -> int:
        self.killed.set()
        return -9

    async def stop(self, grace: float) -> None:
        self.killed.set()


@pytest.fixture
def demo(monkeypatch) -> Demo:
    demo = Demo()
    monkeypatch.setattr(module, "Child", demo)
    monkeypatch.setattr(module, "demo_llm", SimpleNamespace(weights=lambda: None, command=lambda *_: []))
    return demo


@pytest.mark.parametrize("name", ["extproc", "api", "metrics"])
async def test_a_taken_port_is_found_before_anything_starts(make, listeners, name):
    host, port = listeners[name].split(":")
    router = make()
    with socket.create_server((host, int(port))), pytest.raises(SetupError, match=f"listeners.{name}$"):
        await router.start()


async def test_only_ports_that_are_used_must_be_free(make, listeners):
    host, port = listeners["http"].split(":")
    with socket.create_server((host, int(port))):
        await make().start()


async def test_it_is_ready_from_start_to_drain(make, listeners):
    router = make()
    assert router.status().checks == {"router": False}
    with pytest.raises(RuntimeError):
        _ = router.live
    await router.start()
    assert router.status().checks == {"router": True}
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"http://{listeners['api']}/ready")).json()["config"] == router.live.loaded.digest
        assert (await client.get(f"http://{listeners['metrics']}/metrics")).is_success
        assert "\nwaypost_workers 1.0\n" in (await client.get(f"http://{listeners['api']}/api/v1/metrics")).text
        await router.drain()
        assert router.status().checks == {"router": False}
        with pytest.raises(httpx.ConnectError):
            await client.get(f"http://{listeners['api']}/ready")


async def test_it_waits_for_the_demo(make, demo):
    router = make(demo={"listen": "127.0.0.1:1"})
    starting = asyncio.create_task(router.start())
    await demo.spawned.wait()
    assert router.status().checks["demo_llm"] is False
    demo.ready.set()
    await starting
    assert router.status().ready
    await router.drain()
    assert demo.killed.is_set()


async def test_a_start_that_is_given_up_ends_the_demo(make, demo):
    router = make(demo={"listen": "127.0.0.1:1"})
    starting = asyncio.create_task(router.start())
    await demo.spawned.wait()
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert demo.killed.is_set()


async def test_a_start_that_fails_ends_the_demo(make, demo, monkeypatch):
    async def fail(config) -> None:
        await demo.spawned.wait()
        raise SetupError("no encoder")

    monkeypatch.setattr(module, "load_resources", fail)
    with pytest.raises(SetupError, match="no encoder"):
        await make(demo={"listen": "127.0.0.1:1"}).start()
    assert demo.killed.is_set()


async def test_a_demo_that_is_not_installed_is_told(make, demo, monkeypatch):
    def missing() -> None:
        raise SetupError("the demo needs the package xllamacpp")

    monkeypatch.setattr(module.demo_llm, "weights", missing)
    with pytest.raises(SetupError, match="xllamacpp"):
        await make(demo={"listen": "127.0.0.1:1"}).start()


async def test_a_reload_without_envoy_needs_nobody_to_follow(make, write_config, listeners, monkeypatch):
    monkeypatch.setattr("waypost.serve.live.logs.configure", lambda _: None)
    router = make()
    await router.start()
    write_config("a", "b", listeners=listeners, envoy={"enabled": False})
    await router.reload()
    assert router.status().reload_error == ""
    assert router.live.current().model_names[-1] == "b"
