import asyncio
from types import SimpleNamespace

import pytest

from waypost.cache.cache import Cache, Hit, Miss, Place
from waypost.cache.directives import directives
from waypost.cache.key import owner_digest
from waypost.cache.similarity import shipped
from waypost.cache.store.base import StoreUnavailable
from waypost.cache.store.memory import MemoryStore
from waypost.config.caching import CacheConfig, DecisionCache

PLACE = Place("math", "m", DecisionCache())
FREE, FRESH, NO_TRACE = directives(""), directives("no-cache"), directives("no-store")
BODY = b'{"choices":[]}'
BRIEF = b'{"usage":null,"choices":[]}'
"""As it is taken from a stream of whose usage nobody had asked."""


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def make(letters, clock):
    def make(store=None, encoder=letters, **config):
        store = store or MemoryStore(max_entries=100, max_bytes=2**20, clock=clock)
        return Cache(CacheConfig(**config), store, shipped(), encoder, clock)

    return make


@pytest.fixture
def cache(make):
    return make()


async def test_an_identical_request_is_served(cache, asked, clock):
    await cache.store(asked(), PLACE, BODY)
    clock.now += 90.5
    hit = await cache.lookup_exact(asked(), FREE)
    assert (hit.entry.body, hit.layer, hit.similarity, hit.age) == (BODY, "exact", 1.0, 90)
    assert hit.headers["age"] == "90"
    assert hit.headers["x-vsr-cache-hit"] == "true"


async def test_a_paraphrase_is_served(cache, asked):
    await cache.store(asked("How do I reset my password?"), PLACE, BODY)
    assert await cache.lookup_exact(asked("How can I reset my password?"), FREE) == Miss("absent", leads=True)
    hit = await cache.lookup_similar(asked("How can I reset my password?"), PLACE)
    assert (hit.entry.body, hit.layer) == (BODY, "similar")
    assert shipped().threshold <= hit.similarity < 1
    assert cache.counts["hit", "similar"] == 1


@pytest.mark.parametrize(
    "question, reason",
    [
        ("How do I reset my router?", "wording"),
        ("How do I not reset my password?", "negation"),
        ("How do I bake bread with olives?", "dissimilar"),
        ("How do I reset my password today?", "timely"),
        ("", "no_question"),
    ],
)
async def test_a_refusal_has_a_reason(make, asked, question, reason):
    cache = make(similarity=0.3)
    await cache.store(asked("How do I reset my password?"), PLACE, BODY)
    assert (await cache.lookup_similar(asked(question), PLACE)).reason == reason
    assert cache.counts["miss", reason] == 1


async def test_the_second_best_is_served_when_the_best_is_refused(cache, asked):
    await cache.store(asked("How do I not reset my password?"), PLACE, b"no")
    await cache.store(asked("How do I reset my password?"), PLACE, b"yes")
    hit = await cache.lookup_similar(asked("How can I reset my password?"), PLACE)
    assert hit.entry.body == b"yes"
    assert cache.counts["refused", "negation"] == 1


SYSTEM = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "How do I reset my password?"}]


@pytest.mark.parametrize(
    "other",
    [
        {"owner": owner_digest("eve")},
        {"policy": "another"},
        {"messages": SYSTEM},
        {"messages": [{"role": "assistant", "content": "Hi"}, *SYSTEM[1:]]},
        {"tools": [{"type": "function"}]},
        {"temperature": 0},
        {"user": "eve"},
    ],
)
async def test_nobody_is_served_what_somebody_else_was_answered(cache, asked, other):
    await cache.store(asked(owner=owner_digest("alice")), PLACE, BODY)
    mine = asked(**({"owner": owner_digest("alice")} | other))
    assert isinstance(await cache.lookup_exact(mine, FREE), Miss)
    assert (await cache.lookup_similar(mine, PLACE)).reason == "absent"


@pytest.mark.parametrize("place", [Place("law", "m", DecisionCache()), Place("math", "n", DecisionCache())])
async def test_decision_and_model_part(cache, asked, place):
    await cache.store(asked(), PLACE, BODY)
    assert (await cache.lookup_similar(asked(), place)).reason == "absent"


async def test_vectors_of_another_encoder_are_not_compared(make, asked, letters, clock):
    store = MemoryStore(max_entries=9, max_bytes=2**20, clock=clock)
    await make(store).store(asked(), PLACE, BODY)
    letters.manifest = SimpleNamespace(recipe="newer letters")
    assert (await make(store).lookup_similar(asked(), PLACE)).reason == "absent"


async def test_a_client_may_opt_out(cache, asked):
    await cache.store(asked(), PLACE, BODY)
    for may in (FRESH, NO_TRACE):
        assert await cache.lookup_exact(asked(), may) == Miss("opted_out")


async def test_a_decision_may_opt_out(cache, asked):
    off = Place("math", "m", DecisionCache(enabled=False))
    await cache.store(asked(), off, BODY)
    assert cache.counts["store", "disabled"] == 1
    assert isinstance(await cache.lookup_exact(asked(), FREE), Miss)


async def test_a_decision_has_its_own_threshold_and_ttl(cache, asked, clock):
    strict = Place("math", "m", DecisionCache(similarity=1.0, ttl="10s"))
    await cache.store(asked("How do I reset my password?"), strict, BODY)
    paraphrase = asked("How can I reset my password?")
    assert (await cache.lookup_similar(paraphrase, strict)).reason == "dissimilar"
    assert isinstance(await cache.lookup_similar(paraphrase, PLACE), Hit)
    clock.now += 10
    assert (await cache.lookup_similar(paraphrase, PLACE)).reason == "absent"


@pytest.mark.parametrize(
    "question, config, kept",
    [
        ("What is the weather today?", {}, "timely"),
        ("How do I reset it?", {"max_answer": "4B"}, "too_large"),
        ("word " * 2000, {}, "kept"),
    ],
)
async def test_what_is_kept(make, asked, question, config, kept):
    cache, told = make(**config), []
    cache.told_skipped = told.append
    await cache.store(asked(question), PLACE, BODY)
    assert cache.counts["store", kept] == 1
    assert told == [kept] * (kept != "kept")
    assert isinstance(await cache.lookup_exact(asked(question), FREE), Hit) is (kept == "kept")


async def test_a_failing_encoder_leaves_the_exact_layer(cache, asked, letters):
    letters.broken = True
    await cache.store(asked(), PLACE, BODY)
    assert (await cache.lookup_similar(asked(), PLACE)).reason == "encoder"
    assert isinstance(await cache.lookup_exact(asked(), FREE), Hit)


@pytest.mark.parametrize("config", [{"similar": False}, {"encoder": None}])
async def test_without_similarity_only_identical_requests_are_served(make, asked, config):
    cache = make(**config)
    await cache.store(asked(), PLACE, BODY)
    assert isinstance(await cache.lookup_exact(asked(), FREE), Hit)
    assert await cache.lookup_similar(asked("How can I reset my password?"), PLACE) == Miss("absent")


class Hanging:
    name = "hanging"

    async def get_exact(self, exact):
        await asyncio.Event().wait()

    search = put = lambda self, *args: self.get_exact("")


class Down:
    name = "down"

    async def get_exact(self, exact):
        raise StoreUnavailable("connection refused")

    search = put = lambda self, *args: self.get_exact("")


@pytest.mark.parametrize("store, reason", [(Hanging(), "store_slow"), (Down(), "store_down")])
async def test_a_store_that_fails_is_a_miss(make, asked, store, reason):
    cache = make(store, timeout="1ms")
    assert await cache.lookup_exact(asked(), FREE) == Miss(reason)
    assert await cache.lookup_similar(asked(), PLACE) == Miss(reason)
    await cache.store(asked(), PLACE, BODY)
    assert cache.counts["store", reason] == 1


async def test_identical_requests_wait_for_one_answer(cache, asked):
    assert await cache.lookup_exact(asked(), FREE) == Miss("absent", leads=True)
    others = [asyncio.create_task(cache.lookup_exact(asked(), FREE)) for _ in range(5)]
    await asyncio.sleep(0)
    await cache.store(asked(), PLACE, BODY)
    hits = await asyncio.gather(*others)
    assert all(isinstance(hit, Hit) for hit in hits)
    assert cache.counts["hit", "exact"] == 5


async def test_nobody_waits_for_an_answer_that_does_not_come(cache, asked):
    await cache.lookup_exact(asked(), FREE)
    other = asyncio.create_task(cache.lookup_exact(asked(), FREE))
    await asyncio.sleep(0)
    cache.release(asked())
    assert await other == Miss("absent")
    assert (await cache.lookup_exact(asked(), FREE)).leads


async def waiting_for(cache, asked, count, **how):
    """The one that leads, and others that wait for it."""
    assert (await cache.lookup_exact(asked(), FREE)).leads
    tasks = {asyncio.create_task(cache.lookup_exact(asked(), FREE, **how)) for _ in range(count)}
    await asyncio.sleep(0)
    return tasks


async def test_when_the_leader_leaves_one_of_those_who_wait_leads_for_the_others(cache, asked):
    waiting = await waiting_for(cache, asked, 50)
    for _ in range(3):
        cache.release(asked(), "left")
        went, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        assert [task.result() for task in went] == [Miss("absent", leads=True)]
    await cache.store(asked(), PLACE, BODY)
    assert all(isinstance(hit, Hit) for hit in await asyncio.gather(*waiting))
    assert cache.counts["hit", "exact"] == 47


@pytest.mark.parametrize("whole", [False, True], ids=["not fit to be kept", "too large"])
async def test_when_the_answer_will_not_be_kept_nobody_leads(make, asked, whole):
    cache = make(max_answer="4B")
    waiting = await waiting_for(cache, asked, 5)
    if whole:
        await cache.store(asked(), PLACE, BODY)
    else:
        cache.release(asked())
    assert await asyncio.gather(*waiting) == [Miss("absent")] * 5


async def test_those_who_wait_for_several_wait_no_longer(make, asked):
    cache = make(wait="200ms")
    waiting = await waiting_for(cache, asked, 2)
    cache.release(asked(), "left")
    async with asyncio.timeout(30):
        outcomes = await asyncio.gather(*waiting)
    assert sorted(outcomes, key=lambda miss: miss.reason) == [Miss("absent", leads=True), Miss("waited")]


async def test_only_the_wait_is_timed(cache, asked):
    entered = []

    class Waiting:
        def __enter__(self):
            entered.append("in")

        def __exit__(self, *_):
            entered.append("out")

    assert (await cache.lookup_exact(asked(), FREE, waiting=Waiting())).leads
    assert entered == []
    other = asyncio.create_task(cache.lookup_exact(asked(), FREE, waiting=Waiting()))
    await asyncio.sleep(0)
    assert entered == ["in"]
    await cache.store(asked(), PLACE, BODY)
    assert isinstance(await other, Hit)
    assert entered == ["in", "out"]


async def test_an_answer_without_usage_is_not_for_those_who_want_it(cache, asked):
    await cache.store(asked(), PLACE, BRIEF)
    alike = asked("How can I reset my password?")
    assert isinstance(await cache.lookup_exact(asked(), FREE), Hit)
    assert isinstance(await cache.lookup_similar(alike, PLACE), Hit)
    assert await cache.lookup_exact(asked(), FREE, usage=True) == Miss("no_usage", leads=True)
    for question in (asked(), alike):
        assert await cache.lookup_similar(question, PLACE, usage=True) == Miss("no_usage")
    assert cache.counts["miss", "no_usage"] == 2
    await cache.store(asked(), PLACE, BODY)
    assert (await cache.lookup_exact(asked(), FREE, usage=True)).entry.body == BODY
    assert (await cache.lookup_similar(alike, PLACE, usage=True)).entry.body == BODY


async def test_another_similar_answer_is_served_to_those_who_want_usage(cache, asked):
    await cache.store(asked("How can I reset my password?"), PLACE, BRIEF)
    await cache.store(asked("How could I reset my password?"), PLACE, BODY)
    hit = await cache.lookup_similar(asked("How can I reset my password?"), PLACE, usage=True)
    assert hit.entry.body == BODY


async def test_without_similarity_an_answer_without_usage_is_a_miss_of_that_name(make, asked):
    cache = make(similar=False)
    await cache.store(asked(), PLACE, BRIEF)
    assert await cache.lookup_similar(asked(), PLACE, "no_usage", usage=True) == Miss("no_usage")


async def test_who_waits_in_vain_for_usage_goes_once_for_all(cache, asked):
    """The first to come does not want it, those who wait do: one of them asks the backend, once more."""
    waiting = await waiting_for(cache, asked, 5, usage=True)
    await cache.store(asked(), PLACE, BRIEF)
    went, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    assert [task.result() for task in went] == [Miss("no_usage", leads=True)]
    await cache.store(asked(), PLACE, BODY)
    assert {hit.entry.body for hit in await asyncio.gather(*waiting)} == {BODY}


async def test_who_wants_usage_does_not_queue_for_answers_that_are_not_kept(cache, asked):
    await cache.store(asked(), PLACE, BRIEF)
    assert (await cache.lookup_exact(asked(), FREE, usage=True)).leads
    waiting = [asyncio.create_task(cache.lookup_exact(asked(), FREE, usage=True)) for _ in range(5)]
    await asyncio.sleep(0)
    cache.release(asked())
    assert await asyncio.gather(*waiting) == [Miss("no_usage")] * 5


async def test_waiting_has_a_bound(make, asked):
    cache = make(wait="1ms")
    assert (await cache.lookup_exact(asked(), FREE)).leads
    assert await cache.lookup_exact(asked(), FREE) == Miss("waited")
    assert await cache.lookup_similar(asked(), PLACE, "waited") == Miss("waited")
    assert cache.counts == {("miss", "waited"): 1}


async def test_who_stops_waiting_does_not_disturb_the_others(cache, asked):
    await cache.lookup_exact(asked(), FREE)
    impatient, patient = (asyncio.create_task(cache.lookup_exact(asked(), FREE)) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    await cache.store(asked(), PLACE, BODY)
    assert isinstance(await patient, Hit)


@pytest.mark.parametrize("question, may", [("What is the weather today?", FREE), ("How do I do this?", NO_TRACE)])
async def test_nobody_waits_for_what_is_not_kept(cache, asked, question, may):
    for _ in range(2):
        assert not (await cache.lookup_exact(asked(question), may)).leads
