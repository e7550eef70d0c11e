"""Signals and exit codes, with a router that does as it is told."""

from __future__ import annotations

import asyncio
import os
import signal
import traceback

import pytest

from waypost.errors import ConfigError, Problem, SetupError
from waypost.serve import run as module
from waypost.serve import watch
from waypost.serve.run import run


class Router:
    """Remembers what was asked of it. Each time it is asked for ``start``, ``reload``…, it takes the next such step."""

    def __init__(self, **steps) -> None:
        self.steps = {what: list(each) for what, each in steps.items()}
        self.asked: list[str] = []
        self.live = None
        self.processors = ()

    async def _do(self, what: str) -> None:
        self.asked.append(what)
        if steps := self.steps.get(what):
            await steps.pop(0)()

    async def start(self) -> None:
        await self._do("start")

    async def reload(self) -> None:
        await self._do("reload")

    async def drain(self) -> None:
        await self._do("drain")

    async def kill(self) -> None:
        await self._do("kill")


async def forever() -> None:
    await asyncio.Event().wait()


def raises(number: signal.Signals, then=None):
    """A step that sends ourselves a signal."""

    async def step() -> None:
        os.kill(os.getpid(), number)
        if then:
            await then()

    return step


@pytest.fixture
def routers() -> list[Router]:
    """Those that were made."""
    return []


@pytest.fixture
def serve(write_config, monkeypatch, capsys, routers):
    """Run ``waypost serve`` with a fake router; returns the exit code, what was asked of it, and stderr."""
    path = write_config("a")
    monkeypatch.setattr(module, "start_up_block", lambda live, processors, seconds: "the block")
    monkeypatch.setattr(module.logs, "configure", lambda _: None)

    def serve(**steps) -> tuple[int, list[str], str]:
        def make(loaded, run_dir, workers) -> Router:
            routers.append(Router(**steps))
            return routers[-1]

        monkeypatch.setattr(module, "Router", make)
        code = run(path)
        return code, routers[-1].asked, capsys.readouterr().err

    return serve


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_drains(serve, number):
    # The first reload is that of the start: the file may have changed meanwhile.
    code, asked, err = serve(reload=[raises(number)])
    assert (code, asked, err) == (0, ["start", "reload", "drain", "kill"], "the block\n")


def test_the_second_signal_ends_it_at_once(serve):
    code, asked, _ = serve(reload=[raises(signal.SIGINT)], drain=[raises(signal.SIGINT, forever)])
    assert (code, asked) == (130, ["start", "reload", "drain", "kill", "kill"])  # the end kills whatever is left


def test_a_signal_during_the_start_ends_it(serve):
    code, asked, err = serve(start=[raises(signal.SIGTERM, forever)])
    assert (code, asked, err) == (130, ["start", "kill"], "")


def test_what_cannot_start_is_killed(serve, routers):
    async def fail() -> None:
        raise SetupError("no port")

    with pytest.raises(SetupError, match="no port"):
        serve(start=[fail])
    assert routers[-1].asked == ["start", "kill"]


@pytest.mark.parametrize(
    "error",
    [SetupError("port 1 on canary.internal is taken"), ConfigError([Problem("f", 0, 0, "", "canary.internal is odd")])],
    ids=["setup", "config"],
)
def test_what_came_from_the_environment_is_not_told(serve, write_config, monkeypatch, error):
    async def fail() -> None:
        raise error from OSError("canary.internal")

    monkeypatch.setenv("BACKEND", "canary.internal")
    write_config("a", models={"a": {"endpoints": [{"url": "http://${BACKEND}:1"}]}})
    with pytest.raises(type(error), match=r"\$\{BACKEND\}") as told:
        serve(start=[fail])
    assert "canary" not in "".join(traceback.format_exception(told.value, limit=0))


def test_sighup_reloads(serve):
    code, asked, _ = serve(reload=[raises(signal.SIGHUP), raises(signal.SIGINT)])
    assert (code, asked) == (0, ["start", "reload", "reload", "drain", "kill"])


def test_a_changed_file_reloads(serve, write_config):
    async def change() -> None:
        write_config("a", "b")

    code, asked, _ = serve(reload=[change, raises(signal.SIGINT)])
    assert (code, asked) == (0, ["start", "reload", "reload", "drain", "kill"])


def test_a_watch_that_fails_is_told_once_and_tried_again(serve, write_config, monkeypatch, caplog):
    real, failures = watch.awatch, [OSError("OS file watch limit reached."), OSError("OS file watch limit reached.")]

    def awatch(*paths, **settings):
        if failures:
            write_config("a", f"b{len(failures)}")  # which is found without a watch, too
            raise failures.pop()
        return real(*paths, **settings)

    async def change() -> None:
        write_config("a", "c")

    async def nothing() -> None:
        pass

    monkeypatch.setattr(watch, "awatch", awatch)
    monkeypatch.setattr(module, "_RETRY_SECONDS", 0.0)
    code, asked, _ = serve(reload=[nothing, nothing, change, raises(signal.SIGINT)])
    assert (code, asked) == (0, ["start", *["reload"] * 4, "drain", "kill"])
    (told,) = (line for line in caplog.messages if "cannot be watched" in line)
    assert "OS file watch limit reached." in told
    assert "SIGHUP" in told


def test_a_wrong_file_starts_nothing(serve, write_config, routers):
    write_config("a", modles={})
    with pytest.raises(ConfigError, match="modles"):
        serve()
    assert routers == []
