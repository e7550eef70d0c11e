"""What every store must do, whatever it is made of."""

import asyncio

import numpy as np
import pytest

from waypost.cache.entry import Entry
from waypost.cache.store.base import Selector


def unit(*values):
    vector = np.zeros(8, np.float32)
    vector[: len(values)] = values
    return vector / np.linalg.norm(vector)


EAST = unit(1)


def entry(exact="a", partition="p", vector=EAST, body=b'{"x":\n1}', **more):
    facts = {
        "question": "q",
        "wire": "chat",
        "created": 1_000_000.0,
        "ttl": 60.0,
        "decision": "d",
        "model": "m",
        "owner": "o",
    }
    stored = None if vector is None else vector.astype(np.float16)
    return Entry(exact=exact, partition=partition, vector=stored, body=body, **(facts | more))


async def names(store, partition="p", vector=EAST, k=8):
    return [found.exact for _, found in await store.search(partition, vector, k)]


async def test_an_empty_store_has_nothing(store):
    assert await store.get_exact("a") is None
    assert list(await store.search("p", unit(1), 5)) == []
    assert (await store.stats()).entries == 0
    assert await store.invalidate(Selector()) == 0


async def test_what_was_put_is_there(store):
    await store.put(entry(question="Was? 什么?", body=b"\x00\xff\r\n"))
    found = await store.get_exact("a")
    assert found.without_vector().dump() == entry(question="Was? 什么?", body=b"\x00\xff\r\n").without_vector().dump()
    assert await store.get_exact("b") is None


async def test_a_second_put_takes_the_place_of_the_first(store):
    await store.put(entry(body=b"one", vector=unit(1)))
    await store.put(entry(body=b"two", vector=unit(0, 1), partition="other"))
    assert (await store.get_exact("a")).body == b"two"
    assert await names(store) == []
    assert await names(store, "other") == ["a"]
    assert (await store.stats()).entries == 1


async def test_the_nearest_come_first(store):
    for name, vector in {"far": unit(0, 1), "near": unit(5, 1), "same": unit(1), "against": unit(-1)}.items():
        await store.put(entry(name, vector=vector))
    assert await names(store) == ["same", "near", "far", "against"]
    assert await names(store, k=2) == ["same", "near"]
    cosines = [cosine for cosine, _ in await store.search("p", unit(1), 4)]
    assert cosines == pytest.approx([1, 5 / 26**0.5, 0, -1], abs=2e-3)


async def test_partitions_do_not_see_each_other(store):
    await store.put(entry("a", "p"))
    await store.put(entry("b", "q"))
    assert await names(store, "p") == ["a"]
    assert await names(store, "q") == ["b"]
    assert await names(store, "r") == []


async def test_without_a_vector_only_the_identical_request_finds_it(store):
    await store.put(entry(vector=None, partition=""))
    assert await names(store, "") == []
    assert await store.get_exact("a") is not None


async def test_nothing_outlives_its_time(store, clock):
    await store.put(entry("short", ttl=10.0))
    await store.put(entry("long", ttl=100.0))
    clock.now += 9.9
    assert await names(store) in (["short", "long"], ["long", "short"])
    clock.now += 0.1
    assert await names(store) == ["long"]
    assert await store.get_exact("short") is None
    clock.now += 90
    assert await store.get_exact("long") is None


async def test_expired_neighbours_do_not_hide_living_ones(store, clock):
    for number in range(20):
        await store.put(entry(f"old {number}", ttl=10.0))
    await store.put(entry("new", vector=unit(3, 1)))
    clock.now += 20
    assert await names(store, k=8) == ["new"]


@pytest.mark.parametrize(
    "selector, left",
    [
        (Selector(), set()),
        (Selector(decision="d"), {"b"}),
        (Selector(owner="o"), {"c"}),
        (Selector(question="q"), {"d"}),
        (Selector(decision="d", owner="o", question="q"), {"b", "c", "d"}),
        (Selector(decision="nobody's"), {"a", "b", "c", "d"}),
        (Selector(owner=""), {"a", "b", "c", "d"}),
    ],
)
async def test_what_is_meant_is_dropped(store, selector, left):
    await store.put(entry("a"))
    await store.put(entry("b", decision="other"))
    await store.put(entry("c", owner="other"))
    await store.put(entry("d", question="other"))
    assert await store.invalidate(selector) == 4 - len(left)
    assert set(await names(store)) == left
    assert (await store.stats()).entries == len(left)


async def test_stats_count(store):
    empty = (await store.stats()).bytes
    await store.put(entry("a", body=b"x" * 5000))
    stats = await store.stats()
    assert stats.entries == 1
    assert stats.bytes >= empty + 5000


async def test_many_at_once(store):
    await asyncio.gather(*(store.put(entry(str(number), vector=unit(number, 1))) for number in range(50)))
    found = await asyncio.gather(*(store.get_exact(str(number)) for number in range(50)))
    assert [one.exact for one in found] == [str(number) for number in range(50)]
    assert len(await names(store, k=50)) == 50


async def test_what_ends_first_or_was_used_last_makes_room(store):
    for number in range(130):
        await store.put(entry(str(number), ttl=60.0 + number))
    stats = await store.stats()
    assert 100 <= stats.entries <= 101  # a database makes room for several at a time
    assert stats.evicted == 130 - stats.entries
    assert await store.get_exact("0") is None
    assert await store.get_exact("129") is not None
    assert "0" not in await names(store, k=130)


async def test_bytes_are_bounded_too(store):
    for number in range(20):
        await store.put(entry(str(number), body=bytes(100_000), ttl=60.0 + number))
    assert 8 <= (await store.stats()).entries <= 10
    assert await store.get_exact("19") is not None


async def test_what_is_larger_than_all_there_is_room_for_drives_nothing_out(store):
    await store.put(entry("small"))
    await store.put(entry("large", body=bytes(2_000_000)))
    assert await store.get_exact("small") is not None
    assert await store.get_exact("large") is None


FIRST = {
    "get": lambda store: store.get_exact("a"),
    "search": lambda store: store.search("p", EAST, 8),
    "put": lambda store: store.put(entry("b")),
    "invalidate": lambda store: store.invalidate(Selector(decision="nobody's")),
    "stats": lambda store: store.stats(),
}


@pytest.mark.parametrize("first", FIRST.values(), ids=FIRST)
async def test_when_what_it_holds_vanishes_it_begins_anew(store, vanish, first):
    await store.put(entry("a"))
    assert await names(store) == ["a"]
    vanish()
    await first(store)
    await store.put(entry("b"))
    found = await names(store)
    assert set(found) - {"a"} == {"b"}
    assert [(await store.get_exact(name)) is not None for name in "ab"] == ["a" in found, True]
    assert (await store.stats()).entries == await store.invalidate(Selector()) == len(found)


async def test_many_notice_at_once_that_it_vanished(store, vanish):
    await store.put(entry("a"))
    vanish()
    await asyncio.gather(*(store.put(entry(str(number))) for number in range(20)))
    assert {str(number) for number in range(20)} <= set(await names(store, k=50))


async def test_what_was_put_is_there_after_a_restart(kind, opened):
    if kind == "memory":
        pytest.skip("memory ends with its process")
    store = opened()
    await store.put(entry("a"))
    await store.close()
    store = opened()
    assert await store.get_exact("a") is not None
    assert await names(store) == ["a"]
    await store.close()


async def test_a_long_answer_comes_back_whole(store):
    body = np.random.default_rng(1).bytes(300_000)
    await store.put(entry(body=body))
    assert [found.body for _, found in await store.search("p", EAST, 1)] == [body]
    assert (await store.get_exact("a")).body == body
