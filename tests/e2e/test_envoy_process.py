"""The life of the Envoy process: start, drain, crash, and the death of its parent."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys

import httpx
import pytest

from serving import watched
from waypost.errors import SetupError
from waypost.serve.envoy.process import EnvoyProcess

CHAT = "/v1/chat/completions"

ORPHAN = """
import asyncio, sys
from pathlib import Path
from waypost.config.schema import Config
from waypost.serve.envoy.process import EnvoyProcess

async def main():
    config = Config.model_validate_json(sys.argv[2])
    process = await EnvoyProcess.start(Path(sys.argv[1]), config, [config.listeners.extproc])
    print(process.pid, flush=True)
    await process.wait()

asyncio.run(main())
"""


async def test_drain_lets_a_running_answer_finish(backend, make_config, envoy, client):
    gate = asyncio.Event()
    math = await backend(gates={1: gate})
    config = make_config({"math": [math.url]})
    process = await envoy(config)
    async with client(config).stream("POST", CHAT, json={"model": "math", "stream": True}) as answer:
        lines = answer.aiter_lines()
        await anext(lines)
        draining = asyncio.create_task(process.drain(30))
        await refused(config)
        assert not draining.done()
        assert not await process.admin.ready()
        gate.set()
        rest = [line async for line in lines if line]
    assert rest[-1] == "data: [DONE]"
    assert await draining == 0


async def refused(config) -> None:
    """Wait until nobody listens on the address any more."""
    while True:
        try:
            _, writer = await asyncio.open_connection(*config.listeners.http)
            writer.close()
            await writer.wait_closed()
        except ConnectionRefusedError:
            return
        except ConnectionResetError:  # it was still in the backlog when the listener closed
            continue


async def test_drain_gives_up_after_its_grace(backend, make_config, envoy, client, caplog):
    math = await backend(gates={1: asyncio.Event()})
    config = make_config({"math": [math.url]})
    process = await envoy(config)
    async with client(config).stream("POST", CHAT, json={"model": "math", "stream": True}) as answer:
        lines = answer.aiter_lines()
        await anext(lines)
        assert await process.drain(0.1) == 0
        with pytest.raises(httpx.RemoteProtocolError):
            _ = [line async for line in lines]
    assert "1 requests still ran" in caplog.text


async def test_a_crash_is_told_and_another_takes_over(backend, make_config, envoy, client):
    math = await backend()
    config = make_config({"math": [math.url]})
    process = await envoy(config)
    os.kill(process.pid, signal.SIGKILL)
    assert await process.wait() == -signal.SIGKILL
    assert await process.drain(1) == -signal.SIGKILL
    await envoy(config)
    assert (await client(config).post(CHAT, json={"model": "math"})).status_code == 200


async def test_a_taken_port_is_one_clear_line(backend, make_config, run_dir):
    math = await backend()
    config = make_config({"math": [math.url]})
    squatter = await asyncio.start_server(lambda *_: None, *config.listeners.http)
    async with squatter:
        with pytest.raises(SetupError, match=r"^port \d+ on 127.0.0.1 is taken.*listeners.http$"):
            await EnvoyProcess.start(run_dir, config, [config.listeners.extproc])


async def test_death_at_the_start_is_told_with_its_log(make_config, run_dir, monkeypatch):
    monkeypatch.setattr("waypost.serve.envoy.process.bootstrap", lambda *_: {"no_such_field": 1})
    with pytest.raises(SetupError, match="no_such_field"):
        await EnvoyProcess.start(run_dir, make_config({"math": ["http://127.0.0.1:1"]}), [])


async def test_only_we_can_read_the_run_directory(make_config, envoy):
    process = await envoy(make_config({"math": ["http://127.0.0.1:1"]}))
    assert stat.S_IMODE(process.layout.root.stat().st_mode) == 0o700
    for path in (process.layout.admin, process.layout.bootstrap, process.layout.routes):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.getpgid(process.pid) != os.getpgid(0)  # a terminal's Ctrl-C goes to our group alone


@pytest.mark.skipif(sys.platform != "linux", reason="needs prctl(2)")
async def test_envoy_dies_with_its_parent(make_config, run_dir):
    config = make_config({"math": ["http://127.0.0.1:1"]})
    arguments = [sys.executable, "-c", ORPHAN, str(run_dir), config.model_dump_json(by_alias=True)]
    parent = await asyncio.create_subprocess_exec(*arguments, stdout=asyncio.subprocess.PIPE)
    pid = int(await parent.stdout.readline())
    async with watched(pid) as gone:
        parent.kill()
        await parent.wait()
        await gone()
