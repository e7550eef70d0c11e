"""Child processes: their start, their end, and what they said."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from serving import watched
from waypost.errors import SetupError
from waypost.serve.child import Child, without_secrets

FOREVER = "import signal; print('up', flush=True); signal.pause()"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {FOREVER}"


@pytest.fixture
async def spawn(tmp_path):
    running: list[Child] = []

    async def start(code: str, environ: dict[str, str] | None = None) -> Child:
        command = [sys.executable, "-S", "-c", code]
        running.append(await Child.spawn("the child", command, tmp_path / "child.log", environ))
        return running[-1]

    yield start
    for child in running:
        await child.kill()


async def up(child: Child) -> None:
    """Wait until it has said so."""

    async def said() -> bool:
        return "up" in child.log.read_text()

    await child.until(said, within=60)


def test_what_is_not_ours_is_told_no_secret():
    kept = {"PATH": "/bin", "LC_ALL": "C", "OMP_NUM_THREADS": "2", "LD_PRELOAD": "x.so", "TMPDIR": "/tmp/x"}
    secrets = {"OPENAI_API_KEY": "k", "CACHE_URL": "u", "path": "p", "HTTPS_PROXY": "http://user:word@h"}
    assert without_secrets(kept | secrets) == kept


async def test_its_output_goes_to_its_log(spawn):
    child = await spawn("import os, sys; print(os.environ['A']); print('oh', file=sys.stderr)", {"A": "1"})
    assert await child.wait() == child.exit_code == 0
    assert sorted(child.log.read_text().split()) == ["1", "oh"]


async def test_it_is_the_program_itself_in_a_session_of_its_own(spawn):
    child = await spawn(FOREVER)
    await up(child)
    assert child.exit_code is None
    assert os.getsid(child.pid) == os.getpgid(child.pid) == child.pid
    assert Path(f"/proc/{child.pid}/cmdline").read_bytes().split(b"\0")[1] == b"-S"


async def test_it_may_end_by_itself_on_sigterm(spawn):
    child = await spawn(FOREVER)
    await up(child)
    await child.stop(grace=60)
    assert child.exit_code == -signal.SIGTERM


async def test_after_its_grace_it_is_killed(spawn):
    child = await spawn(STUBBORN)
    await up(child)
    await child.stop(grace=0.01)
    assert child.exit_code == -signal.SIGKILL


async def test_killing_is_final_and_may_be_repeated(spawn):
    child = await spawn(STUBBORN)
    assert await child.kill() == -signal.SIGKILL
    assert await child.kill() == -signal.SIGKILL
    await child.stop(grace=0)


async def never() -> bool:
    return False


async def test_a_death_at_the_start_is_told_with_its_last_words(spawn):
    child = await spawn("import sys; print('one\\ntwo\\nthree\\nfour'); sys.exit(5)")
    with pytest.raises(SetupError) as told:
        await child.until(never, within=60)
    assert str(told.value) == (f"the child ended at its start with code 5: two | three | four (whole log: {child.log})")


async def test_a_slow_start_is_told(spawn):
    child = await spawn(FOREVER)
    await up(child)
    with pytest.raises(SetupError, match=r"^the child was not ready after 0.01 s: up \(whole log: "):
        await child.until(never, within=0.01)


async def test_one_that_says_nothing(spawn):
    child = await spawn("raise SystemExit(1)")
    await child.wait()
    assert child.last_words().startswith("it said nothing (whole log: ")


async def test_a_program_that_is_not_there_is_told(tmp_path):
    child = await Child.spawn("the child", [str(tmp_path / "absent")], tmp_path / "child.log")
    with pytest.raises(SetupError, match=r"code 1: /.*/absent: No such file or directory \(whole log"):
        await child.until(never, within=60)


@pytest.mark.skipif(sys.platform != "linux", reason="needs prctl(2)")
async def test_it_dies_with_its_parent(tmp_path):
    script = f"""
import asyncio, sys
from pathlib import Path
from waypost.serve.child import Child

async def main():
    child = await Child.spawn("it", [sys.executable, "-S", "-c", {STUBBORN!r}], Path({str(tmp_path)!r}) / "child.log")
    print(child.pid, flush=True)
    await child.wait()

asyncio.run(main())
"""
    pipe = asyncio.subprocess.PIPE
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stdout=pipe)
    assert parent.stdout
    async with watched(int(await parent.stdout.readline())) as gone:
        parent.kill()
        await parent.communicate()
        await gone()
