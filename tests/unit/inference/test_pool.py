import asyncio
import threading

import pytest

from waypost.errors import DeadlineExceeded, InferenceError, Overloaded
from waypost.inference.pool import WorkerPool


class Gate:
    """Work that begins, says so, and ends when it is let through."""

    def __init__(self):
        self.begun, self.open = threading.Event(), threading.Event()
        self.abandoned = None

    def work(self, abandoned):
        self.abandoned = abandoned
        self.begun.set()
        self.open.wait(30)
        return "done"

    async def has_begun(self):
        await asyncio.to_thread(self.begun.wait, 30)


@pytest.fixture
def gate():
    gate = Gate()
    yield gate
    gate.open.set()


@pytest.fixture
def pool(gate):
    pool = WorkerPool(threads=1, queue=1)
    yield pool
    gate.open.set()
    pool.close()


async def test_work_runs_on_another_thread(pool):
    assert await pool.run(lambda _: threading.get_ident(), 30) != threading.get_ident()


async def test_what_work_raises_reaches_the_caller(pool):
    with pytest.raises(ZeroDivisionError):
        await pool.run(lambda _: 1 // 0, 30)


async def test_a_full_queue_refuses_at_once_and_recovers(pool, gate):
    running = asyncio.create_task(pool.run(gate.work, 30))
    await gate.has_begun()
    waiting = asyncio.create_task(pool.run(lambda _: "next", 30))
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await pool.run(lambda _: "refused", 30)

    gate.open.set()
    assert await asyncio.gather(running, waiting) == ["done", "next"]
    assert await pool.run(lambda _: "accepted", 30) == "accepted"


async def test_work_cancelled_in_the_queue_never_runs(pool, gate):
    running = asyncio.create_task(pool.run(gate.work, 30))
    await gate.has_begun()
    ran = threading.Event()
    waiting = asyncio.create_task(pool.run(lambda _: ran.set(), 30))
    await asyncio.sleep(0)
    assert pool.pending == 2
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert pool.pending == 1

    gate.open.set()
    await running
    await pool.run(lambda _: None, 30)
    assert not ran.is_set()


async def test_late_work_is_given_up_and_told_so(pool, gate):
    running = asyncio.create_task(pool.run(gate.work, 0.05))
    await gate.has_begun()
    with pytest.raises(DeadlineExceeded, match=r"0\.05 s"):
        await running
    assert gate.abandoned()


async def test_work_that_waits_past_its_deadline_never_runs(pool, gate):
    running = asyncio.create_task(pool.run(gate.work, 30))
    await gate.has_begun()
    ran = threading.Event()
    with pytest.raises(DeadlineExceeded):
        await pool.run(lambda _: ran.set(), 0.01)
    gate.open.set()
    await running
    await pool.run(lambda _: None, 30)
    assert not ran.is_set()


async def test_closing_drops_what_waits_and_refuses_what_comes(pool, gate):
    running = asyncio.create_task(pool.run(gate.work, 30))
    await gate.has_begun()
    waiting = asyncio.create_task(pool.run(lambda _: None, 30))
    await asyncio.sleep(0)
    closing = asyncio.create_task(asyncio.to_thread(pool.close))
    with pytest.raises(InferenceError, match="closed"):
        await waiting
    gate.open.set()
    assert await running == "done"
    await closing
    with pytest.raises(InferenceError, match="closed"):
        await pool.run(lambda _: None, 30)


async def test_work_that_ends_its_thread_takes_nothing_else_with_it(pool):
    def end(_):
        raise SystemExit("a fault in native code")

    with pytest.raises(InferenceError, match="a fault in native code"):
        await pool.run(end, 30)
    assert await pool.run(lambda _: "next", 30) == "next"
