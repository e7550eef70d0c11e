"""The clock of the machine jumps, as after a correction by hand or a machine that was asleep."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import time
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="session")

CC = shutil.which("cc")
HOUR, DAY = 3600, 86_400


@pytest.mark.skipif(CC is None or sys.platform != "linux", reason="needs a C compiler, and Linux")
async def test_a_jump_loses_no_request(serve, echo, settings, load, tmp_path):
    library, offset = tmp_path / "clock.so", tmp_path / "offset"
    source = Path(__file__).with_name("clock.c")
    subprocess.run([str(CC), "-shared", "-fPIC", "-O2", "-o", library, source, "-ldl"], check=True)
    offset.write_bytes(bytes(8))
    server = await echo()
    env = {"LD_PRELOAD": str(library), "CLOCK_OFFSET": str(offset)}
    router = await serve(settings(server, cache={"scope": "user", "ttl": "1h"}), env=env)

    async def told() -> float:
        answer = await router.http.get(f"{router.address('api')}/health")
        return parsedate_to_datetime(answer.headers["date"]).timestamp()

    async with load(router.url) as users:
        users.forget()
        for jump in (2 * HOUR, -DAY, 400 * DAY, 0):
            with offset.open("r+b") as file:  # the page that the router has mapped
                file.write(jump.to_bytes(8, "little", signed=True))
            async with asyncio.timeout(60):
                while abs(await told() - time.time() - jump) > HOUR:  # its answers' dates are up to a second old
                    await users.since(4)
            await users.until_steady()
        assert users.failures == set()
    assert (await router.ready())[0] == 200
