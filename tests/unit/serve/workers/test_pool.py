"""Workers that start, refuse, hang and die, and what becomes of the configuration meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from waypost.config.load import load
from waypost.errors import SetupError
from waypost.serve import supervise
from waypost.serve.workers import process
from waypost.serve.workers.messages import Drain, Ready, Refused, Reload, Reloaded, Retired, Serve, Status
from waypost.serve.workers.pool import Workers


@pytest.fixture
def retired() -> asyncio.Event:
    return asyncio.Event()


@pytest.fixture
async def workers(program, load_config, tmp_path, retired, monkeypatch):
    monkeypatch.setattr(supervise, "_BACK_OFF_SECONDS", (0.0,))
    loaded = load_config("a", listeners={"extproc": "127.0.0.1:0"})
    workers = Workers(2, loaded, tmp_path, count_restart=lambda: None, retired=retired.set)
    yield workers
    await workers.kill()


async def until(condition) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0)


async def test_each_is_told_the_configuration_and_a_port_of_its_own(program, load_config, tmp_path):
    loaded = load_config("a")
    workers = Workers(3, loaded, tmp_path, count_restart=lambda: None, retired=lambda: None)
    assert [address.port for address in workers.addresses] == [50051, 50052, 50053]
    await workers.start()
    told = [await child.asked.get() for child in program.children]
    assert [each.address.port for each in told] == [50051, 50052, 50053]
    assert {each.config.text for each in told} == {loaded.text}
    assert (workers.alive, workers.count) == (3, 3)
    await workers.kill()


async def test_one_that_cannot_start_says_why(program, workers):
    program.answers[Serve] = Refused(why="port 1 is taken")
    with pytest.raises(SetupError, match="port 1 is taken"):
        await workers.start()


async def test_one_that_ends_at_its_start_is_told(program, workers):
    program.answers[Serve] = None
    starting = asyncio.create_task(workers.start())
    await until(lambda: len(program.children) == 2)
    for child in program.children:
        child.end(7)
    with pytest.raises(SetupError, match="worker 0 ended with code 7"):
        await starting


async def test_a_dead_one_is_replaced_on_its_port(program, workers):
    await workers.start()
    assert {address.port for address in workers.addresses} == {5}  # what they have bound
    program.children[0].end(-9)
    await until(lambda: len(program.children) == 3 and workers.alive == 2)
    assert (await program.children[2].asked.get()).address.port == 5


async def test_a_reload_goes_from_one_to_the_next(program, workers, write_config):
    await workers.start()
    first, second = program.children
    first.answers[Reload] = None
    loaded = load(write_config("b"), {})
    reloading = asyncio.create_task(workers.reload(loaded))
    await first.asked.get()
    assert (await first.asked.get()).config.text == loaded.text
    assert second.asked.qsize() == 1  # to serve, before
    assert not workers.settled
    first.channel.send(Reloaded(settled=False))
    await reloading
    assert isinstance([await second.asked.get(), await second.asked.get()][-1], Reload)


async def test_all_are_settled_with_the_last_request(program, workers, write_config, retired):
    await workers.start()
    program.children[0].answers[Reload] = Reloaded(settled=False)
    await workers.reload(load(write_config("b"), {}))
    assert not workers.settled
    program.children[0].channel.send(Retired())
    await asyncio.wait_for(retired.wait(), 30)
    assert workers.settled


async def test_the_end_of_one_is_the_end_of_its_requests(program, workers, write_config, retired):
    await workers.start()
    program.children[0].answers[Reload] = Reloaded(settled=False)
    await workers.reload(load(write_config("b"), {}))
    program.children[0].end(-9)
    await asyncio.wait_for(retired.wait(), 30)
    assert workers.settled
    await until(lambda: len(program.children) == 3 and workers.alive == 2)


@pytest.mark.parametrize("answer", [Refused(why="no tools"), None])
async def test_one_that_does_not_take_a_reload_is_replaced_by_one_that_has_it(
    program, workers, write_config, answer, monkeypatch, caplog
):
    await workers.start()
    monkeypatch.setattr(process, "_PATIENCE", 0.05 if answer is None else 30)
    program.children[0].answers[Reload] = answer
    loaded = load(write_config("b"), {})
    await workers.reload(loaded)
    await until(lambda: len(program.children) == 3 and workers.alive == 2)
    assert (await program.children[2].asked.get()).config.text == loaded.text
    assert "worker 0 does not take the new configuration" in caplog.text


async def test_one_that_starts_during_a_reload_catches_up(program, workers, write_config, retired):
    await workers.start()
    program.answers[Serve] = None
    program.children[0].end(1)
    await until(lambda: len(program.children) == 3)
    late = program.children[2]
    await late.asked.get()
    loaded = load(write_config("b"), {})
    await workers.reload(loaded)
    assert not workers.settled  # it may serve already, as it was told first
    retired.clear()
    late.channel.send(Ready(address=workers.addresses[0]))
    assert (await late.asked.get()).config.text == loaded.text
    await until(lambda: workers.alive == 2)
    await asyncio.wait_for(retired.wait(), 30)
    assert workers.settled


async def test_they_tell_how_they_are(program, workers):
    await workers.start()
    for number, child in enumerate(program.children):
        child.channel.send(Status(pending=number + 1, failing={"pii": "no encoder"} if number else {}))
    await until(lambda: workers.pending == 3)
    assert workers.failing("pii") == "worker 1: no encoder"
    assert workers.failing("jailbreak") == ""


async def test_what_came_of_asking_the_cache_adds_up(program, workers):
    await workers.start()
    for child in program.children:
        child.channel.send(Status(cache=(("hit", "exact", 2), ("miss", "absent", 1))))
    await until(lambda: workers.cache_counts == {("hit", "exact"): 4, ("miss", "absent"): 2})


async def test_one_that_falls_silent_is_killed_and_replaced(program, workers, monkeypatch, caplog):
    await workers.start()
    monkeypatch.setattr(process, "STATUS_SECONDS", 0.01)
    monkeypatch.setattr(process, "_SILENCE", 0.05)
    program.children[0].end(-9)  # its successor is watched with less patience
    await until(lambda: len(program.children) == 3)
    silent = program.children[2]
    assert await asyncio.wait_for(silent.wait(), 30) == -9
    await until(lambda: len(program.children) > 3)
    assert "worker 0 has said nothing for 0.05 s and is killed" in caplog.text


@pytest.mark.parametrize("announced", [True, False])
async def test_a_drain_is_announced_unless_nobody_sends_requests(program, workers, announced):
    await workers.start()
    draining = asyncio.create_task(workers.drain(30, announced=announced))
    for child in program.children:
        await child.asked.get()
        order = await child.asked.get()
        assert isinstance(order, Drain)
        assert (order.notice == 0) is announced
        child.end(0)
    await draining
    assert len(program.children) == 2


async def test_one_that_does_not_end_is_killed(program, workers, monkeypatch):
    monkeypatch.setattr(process, "_END", 0.0)
    await workers.start()
    await workers.drain(0.05, announced=True)
    assert [await child.wait() for child in program.children] == [-9, -9]
