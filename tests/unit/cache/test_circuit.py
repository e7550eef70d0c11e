import asyncio

import pytest

from waypost.cache.store.base import StoreUnavailable
from waypost.cache.store.circuit import Circuit


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


class Refused(Exception):
    pass


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def circuit(clock):
    return Circuit(down=(OSError,), refused=(Refused,), timeout=60.0, clock=clock)


async def ask(circuit, error=None):
    """Make a call that fails with ``error``; tells whether the server was asked."""
    asked = False
    try:
        async with circuit.call():
            asked = True
            if error is not None:
                raise error
    except StoreUnavailable:
        return asked
    return asked


async def test_errors_of_the_driver_say_unavailable(circuit):
    for error in (ConnectionRefusedError("nobody there"), Refused("out of memory"), TimeoutError()):
        with pytest.raises(StoreUnavailable):
            async with circuit.call():
                raise error


async def test_errors_that_nobody_told_of_say_unavailable_and_count(circuit):
    with pytest.raises(StoreUnavailable, match="fails with RuntimeError: two lines"):
        async with circuit.call():
            raise RuntimeError("two\nlines")
    assert [await ask(circuit, KeyError()) for _ in range(3)] == [True, True, False]


async def test_errors_are_logged_once_a_minute(circuit, clock, caplog):
    for error in (Refused("rate limit"), KeyError("odd"), OSError("gone")) * 5:
        await ask(circuit, error)
    assert [record.getMessage() for record in caplog.records] == [
        "the cache's server refuses: rate limit; requests go on without the cache"
    ]
    clock.now += 60.0
    await ask(circuit, KeyError("odd"))
    assert "KeyError: 'odd'" in caplog.messages[1]


async def test_slow_answers_are_not_logged(circuit, caplog):
    await ask(circuit, TimeoutError())
    assert not caplog.messages


async def test_after_some_failures_in_a_row_one_call_in_half_a_second_tries(circuit, clock):
    assert [await ask(circuit, OSError()) for _ in range(5)] == [True, True, True, False, False]
    clock.now += 0.5
    assert [await ask(circuit, OSError()) for _ in range(3)] == [True, False, False]
    clock.now += 0.5
    assert [await ask(circuit) for _ in range(3)] == [True, True, True]


async def test_while_one_tries_the_others_do_not_wait(circuit, clock):
    for _ in range(3):
        await ask(circuit, OSError())
    clock.now += 0.5
    async with circuit.call():
        assert not await ask(circuit)
    assert await ask(circuit)


async def test_failures_apart_and_refusals_do_not_count(circuit):
    for _ in range(5):
        assert await ask(circuit, OSError())
        assert await ask(circuit, OSError())
        assert await ask(circuit)
    assert all([await ask(circuit, Refused()) for _ in range(5)])


async def test_a_call_that_takes_too_long_is_cut_off():
    circuit = Circuit(down=(), refused=(), timeout=0.001)
    with pytest.raises(StoreUnavailable):
        async with circuit.call():
            await asyncio.Event().wait()


@pytest.mark.parametrize("waited, counts", [(60.0, True), (1.0, False)])
async def test_a_caller_that_gave_up_after_the_whole_time_counts(circuit, clock, waited, counts):
    async def give_up():
        async with circuit.call():
            clock.now += waited
            raise asyncio.CancelledError

    for _ in range(3):
        with pytest.raises(asyncio.CancelledError):
            await give_up()
    assert await ask(circuit) is not counts
