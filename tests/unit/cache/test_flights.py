import asyncio

import pytest

from waypost.cache.flights import Flights


@pytest.fixture
def flights():
    return Flights()


def soon(seconds=60.0):
    return asyncio.get_running_loop().time() + seconds


async def test_one_leads_at_a_time(flights):
    assert flights.board("a")
    assert not flights.board("a")
    assert flights.board("b")
    flights.land("a", "kept")
    assert flights.board("a")


@pytest.mark.parametrize("landing", ["kept", "unkept", "left"])
async def test_who_waits_learns_how_it_ended(flights, landing):
    flights.board("a")
    waiting = [asyncio.create_task(flights.wait("a", soon())) for _ in range(3)]
    await asyncio.sleep(0)
    flights.land("a", landing)
    assert await asyncio.gather(*waiting) == [landing] * 3


async def test_waiting_has_an_end_which_ends_nothing_else(flights):
    flights.board("a")
    patient = asyncio.create_task(flights.wait("a", soon()))
    assert await flights.wait("a", soon(0)) is None
    assert await flights.wait("a", soon(-1)) is None
    flights.land("a", "kept")
    assert await patient == "kept"


async def test_who_stops_waiting_ends_nothing_for_the_others(flights):
    flights.board("a")
    impatient, patient = (asyncio.create_task(flights.wait("a", soon())) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.wait({impatient})
    flights.land("a", "left")
    assert await patient == "left"


async def test_where_nobody_flies_there_is_nothing_to_wait_for(flights):
    flights.land("a", "kept")
    assert await flights.wait("a", soon()) == "unkept"
