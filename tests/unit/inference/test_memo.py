import asyncio

import numpy as np
import pytest

from waypost.errors import Overloaded
from waypost.inference.encoder import Encoding
from waypost.inference.memo import MemoEncoder


class Slow:
    """Counts readings; each ends when it is let."""

    manifest = "the manifest"

    def __init__(self):
        self.calls = []
        self.open = asyncio.Event()
        self.cancelled = 0
        self.error = None
        self.stopped = False

    async def encode(self, text, *, until=None):
        self.calls.append((text, until))
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.error:
            raise self.error
        return Encoding(np.ones(1), np.ones(0), 1, 1, 0, 0.0, stopped=self.stopped and until is not None)

    def close(self):
        self.closed = True


@pytest.fixture
async def slow():
    return Slow()


async def test_one_reading_serves_all_who_wait_and_all_who_come_later(slow):
    memo = MemoEncoder(slow)
    together = asyncio.gather(*(memo.encode("a") for _ in range(5)))
    await asyncio.sleep(0)
    slow.open.set()
    first = (await together)[0]
    assert await memo.encode("a") is first
    assert slow.calls == [("a", None)]


async def test_texts_are_kept_apart_and_the_oldest_goes_first(slow):
    slow.open.set()
    memo = MemoEncoder(slow, kept=2)
    for text in ("a", "b", "a", "c", "a", "b"):
        await memo.encode(text)
    assert [text for text, _ in slow.calls] == ["a", "b", "c", "b"]


async def test_who_leaves_does_not_take_the_reading_from_others(slow):
    memo = MemoEncoder(slow)
    leaves, stays = (asyncio.create_task(memo.encode("a")) for _ in range(2))
    await asyncio.sleep(0)
    leaves.cancel()
    slow.open.set()
    assert (await stays).windows == 1
    assert leaves.cancelled() or (await asyncio.wait([leaves]))
    assert slow.cancelled == 0


async def test_a_reading_ends_with_the_last_who_waits_and_can_begin_again(slow):
    memo = MemoEncoder(slow)
    task = asyncio.create_task(memo.encode("a"))
    while not slow.calls:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    slow.open.set()
    assert (await memo.encode("a")).windows == 1
    assert slow.cancelled == 1


async def test_a_failure_is_told_to_all_and_not_kept(slow):
    memo = MemoEncoder(slow)
    slow.error = Overloaded("full")
    slow.open.set()
    outcomes = await asyncio.gather(*(memo.encode("a") for _ in range(2)), return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == ["full", "full"]
    slow.error = None
    assert (await memo.encode("a")).windows == 1


async def test_a_reading_that_stopped_early_serves_only_those_who_would_have_stopped(slow):
    slow.open.set()
    slow.stopped = True
    memo = MemoEncoder(slow)
    for until in (0.5, 0.5, None, 0.5):
        await memo.encode("a", until=until)
    assert slow.calls == [("a", 0.5), ("a", None)]


async def test_a_whole_reading_serves_everybody(slow):
    slow.open.set()
    memo = MemoEncoder(slow)
    for until in (0.5, None, 0.7):
        await memo.encode("a", until=until)
    assert slow.calls == [("a", 0.5)]


async def test_it_stands_for_its_encoder(slow):
    memo = MemoEncoder(slow)
    assert memo.manifest == "the manifest"
    memo.close()
    assert slow.closed


async def test_any_string_will_do(slow):
    slow.open.set()
    assert (await MemoEncoder(slow).encode("\ud800")).windows == 1
