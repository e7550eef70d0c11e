"""Children are replaced when they end by themselves, and only then."""

from __future__ import annotations

import asyncio

import pytest

from waypost.errors import ConfigError, Problem, SetupError
from waypost.serve import supervise
from waypost.serve.supervise import Supervised


class Child:
    """Ends when ``end`` is called, or when it is killed."""

    def __init__(self) -> None:
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def end(self, code: int) -> None:
        self._ended.set_result(code)

    async def wait(self) -> int:
        return await asyncio.shield(self._ended)

    async def kill(self) -> int:
        if not self._ended.done():
            self.end(-9)
        return await self._ended


class Program:
    """Starts children; ``failures`` come first, one a start."""

    def __init__(self) -> None:
        self.started: asyncio.Queue[Child] = asyncio.Queue()
        self.failures: list[Exception] = []
        self.restarts = 0

    async def start(self) -> Child:
        if self.failures:
            raise self.failures.pop(0)
        child = Child()
        self.started.put_nowait(child)
        return child

    def count(self) -> None:
        self.restarts += 1


class Delays:
    """Back-offs that take no time and are remembered by their position."""

    def __init__(self) -> None:
        self.used: list[int] = []

    def __len__(self) -> int:
        return 3

    def __getitem__(self, position: int) -> float:
        self.used.append(position)
        return 0.0


@pytest.fixture
def program() -> Program:
    return Program()


@pytest.fixture
def delays(monkeypatch) -> Delays:
    delays = Delays()
    monkeypatch.setattr(supervise, "_BACK_OFF_SECONDS", delays)
    return delays


@pytest.fixture
async def supervised(program, delays):
    supervised = Supervised("the child", program.start, program.count)
    yield supervised
    await supervised.kill()


async def test_a_child_that_ends_has_a_successor(supervised, program, caplog):
    await supervised.start()
    first = await program.started.get()
    assert supervised.child is first
    first.end(7)
    second = await program.started.get()
    assert supervised.child is second
    assert program.restarts == 1
    assert caplog.messages == ["the child ended with code 7 and is started again"]


async def test_each_end_in_a_row_waits_longer_up_to_a_bound(supervised, program, delays):
    await supervised.start()
    for _ in range(5):
        (await program.started.get()).end(1)
    await program.started.get()
    assert delays.used == [0, 1, 2, 2, 2]


async def test_a_child_that_ran_steadily_is_replaced_at_once(supervised, program, delays, monkeypatch):
    monkeypatch.setattr(supervise, "_STEADY_SECONDS", -1.0)
    await supervised.start()
    for _ in range(3):
        (await program.started.get()).end(1)
    await program.started.get()
    assert delays.used == [0, 0, 0]


@pytest.mark.parametrize("error", [SetupError("no port"), ConfigError([Problem("f", 0, 0, "", "refused")])])
async def test_a_successor_that_cannot_start_is_tried_again(supervised, program, delays, caplog, error):
    await supervised.start()
    program.failures = [error, error]
    (await program.started.get()).end(1)
    await program.started.get()
    assert program.restarts == 3
    assert delays.used == [0, 1, 2]
    assert caplog.messages.count(f"the child could not be started again: {error}") == 2


async def test_while_there_is_none_it_says_so(supervised, program, monkeypatch):
    await supervised.start()
    first, going_on = await program.started.get(), asyncio.Event()

    async def later() -> Child:
        seen.set_result(supervised.child)
        await going_on.wait()
        return Child()

    seen: asyncio.Future[Child | None] = asyncio.get_running_loop().create_future()
    monkeypatch.setattr(supervised, "_start", later)
    first.end(1)
    assert await seen is None
    going_on.set()


async def test_a_released_child_has_no_successor(supervised, program):
    await supervised.start()
    child = await program.started.get()
    assert supervised.release() is child
    child.end(0)
    await asyncio.sleep(0)
    assert program.started.empty()
    assert program.restarts == 0


async def test_a_killed_child_has_no_successor(supervised, program):
    await supervised.start()
    child = await program.started.get()
    await supervised.kill()
    assert await child.wait() == -9
    await supervised.kill()  # again does no harm
    assert program.started.empty()


async def test_the_first_start_fails_for_the_caller(supervised, program):
    program.failures = [SetupError("no port")]
    with pytest.raises(SetupError, match="no port"):
        await supervised.start()
    assert supervised.child is None
    assert supervised.release() is None


async def test_what_was_never_started_can_be_killed(supervised):
    await supervised.kill()
    assert supervised.child is None
