"""What becomes of a request that was asked before."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from waypost.cache.cache import Hit
from waypost.cache.capture import Capture
from waypost.cache.entry import Entry
from waypost.cache.store.memory import MemoryStore
from waypost.tools.selection import ToolSelection
from waypost.types import Forward, RequestHead, ResponseHead

CHAT = "/v1/chat/completions"
ANSWER = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Four."}, "finish_reason": "stop"}],
    }
).encode()


def chat(text: str, **fields: object) -> bytes:
    return json.dumps({"model": "MoM", "messages": [{"role": "user", "content": text}], **fields}).encode()


JSON = {"content-type": "application/json"}
STREAM = {"content-type": "text/event-stream"}
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def streamed(*more: dict) -> bytes:
    """``ANSWER`` as a stream, with other chunks after it."""
    choice = {"index": 0, "delta": {"role": "assistant", "content": "Four."}, "finish_reason": "stop"}
    chunks = ({"id": "c1", "object": "chat.completion.chunk", "choices": [choice]}, *more)
    return "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks).encode() + b"data: [DONE]\n\n"


async def send(
    engine, body: bytes, *, answer: bytes = ANSWER, status: int = 200, key: str = "a", head=JSON, **headers: str
):
    """One request with its answer; returns the action, and the answer's head and body as the client gets them."""
    exchange = engine.open(RequestHead("POST", CHAT, {"authorization": key, **headers}))
    assert exchange.on_headers() is None
    action = await exchange.on_body(body)
    said, start = None, None
    if isinstance(action, Forward):
        start = exchange.on_response_start(ResponseHead(status, head))
        changed = await exchange.on_chunk(answer, last=True) if start.read_body else None
        said = answer if changed is None else changed
    exchange.on_end(aborted=False)
    await engine.cache.settle()
    return action, dict(start.set_headers) if start else {}, said


@pytest.fixture
def engine(make_engine):
    return make_engine(cache={"similar": False})


async def test_the_second_identical_request_needs_no_backend(engine, observer):
    first, headers, _ = await send(engine, chat("two and two, some math"))
    assert isinstance(first, Forward)
    assert (headers["x-vsr-cache-hit"], headers["x-vsr-cache-miss"]) == ("false", "absent")
    second, _, _ = await send(engine, chat("two and two, some math"))
    assert json.loads(second.body) == json.loads(ANSWER)
    told = dict(second.headers)
    assert told["x-vsr-cache-hit"] == "true"
    assert told["age"] == "0"
    assert told["x-vsr-selected-model"] == "math"
    assert [record.recalled.hit for record in observer.records] == [False, True]
    assert observer.records[1].status == 200


async def test_a_stream_is_answered_from_a_whole_answer(engine):
    await send(engine, chat("hello math"))
    reply, _, _ = await send(engine, chat("hello math", stream=True))
    assert dict(reply.headers)["content-type"] == "text/event-stream"
    assert reply.body.endswith(b"data: [DONE]\n\n")
    assert b"Four." in reply.body


@pytest.mark.parametrize(
    "change",
    [
        {"key": "b"},
        {"body": chat("hello math", temperature=1)},
        {"body": chat("hello math", messages=[{"role": "system", "content": "x"}])},
        {"cache-control": "no-cache"},
    ],
    ids=["another user", "another temperature", "another conversation", "a fresh answer is wanted"],
)
async def test_nobody_gets_the_answer_to_something_else(engine, change: dict[str, Any]):
    await send(engine, chat("hello math"))
    second, _, _ = await send(engine, **{"body": chat("hello math"), **change})
    assert isinstance(second, Forward)


async def test_without_a_name_nothing_is_kept(engine):
    for _ in range(2):
        action, headers, _ = await send(engine, chat("hello math"), key="")
        assert isinstance(action, Forward)
        assert "x-vsr-cache-hit" not in headers


WANTING = [chat("hello math"), chat("hello math", stream=True, stream_options={"include_usage": True})]


@pytest.mark.parametrize("wanting", WANTING, ids=["whole", "a stream that ends with it"])
async def test_an_answer_without_usage_goes_to_nobody_who_wants_it(engine, wanting):
    brief = chat("hello math", stream=True)
    await send(engine, brief, answer=streamed(), head=STREAM)
    assert isinstance(await fetched(engine, brief), bytes)
    fresh, headers, _ = await send(engine, wanting, answer=streamed({"choices": [], "usage": USAGE}), head=STREAM)
    assert isinstance(fresh, Forward)
    assert headers["x-vsr-cache-miss"] == "no_usage"
    assert json.loads(await fetched(engine, WANTING[0]))["usage"] == USAGE
    assert json.dumps(USAGE, separators=(",", ":")).encode() in await fetched(engine, WANTING[1])
    assert b'"usage"' not in await fetched(engine, brief)


async def fetched(engine, body: bytes) -> bytes:
    """What the cache answers."""
    reply, _, _ = await send(engine, body)
    return reply.body


async def test_where_the_backend_has_no_usage_nobody_waits_for_it(engine):
    await send(engine, WANTING[1], answer=streamed(), head=STREAM)
    assert "usage" not in json.loads(await fetched(engine, WANTING[0]))
    assert b'"choices":[]' not in await fetched(engine, WANTING[1])  # the chunk that would tell it


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"status": 500}, "status"),
        ({"answer": b'{"choices": ['}, "malformed"),
        ({"head": JSON | {"content-encoding": "gzip"}}, "encoded"),
    ],
    ids=["an error", "half an answer", "a compressed answer"],
)
async def test_what_failed_is_not_kept(engine, broken, reason):
    await send(engine, chat("hello math"), **broken)
    assert engine.cache.counts["store", reason] == 1
    assert isinstance((await send(engine, chat("hello math")))[0], Forward)


async def test_a_decision_may_keep_nothing_and_then_its_store_is_not_asked(make_engine, monkeypatch):
    async def asked(*_: object) -> None:
        pytest.fail("the store was asked")

    monkeypatch.setattr(MemoryStore, "get_exact", asked)
    decision = {"name": "d", "models": [{"model": "general"}], "cache": {"enabled": False}}
    engine = make_engine(cache={"similar": False}, decisions=[decision])
    for _ in range(2):
        assert isinstance((await send(engine, chat("hello")))[0], Forward)
    assert engine.cache.counts == {("miss", "disabled"): 2}


async def test_identical_requests_at_once_wait_for_one(engine):
    lead = engine.open(RequestHead("POST", CHAT, {"authorization": "a"}))
    lead.on_headers()
    assert isinstance(await lead.on_body(chat("hello math")), Forward)
    waiting = asyncio.create_task(send(engine, chat("hello math")))
    await asyncio.sleep(0)
    lead.on_response_start(ResponseHead(200, {"content-type": "application/json"}))
    await lead.on_chunk(ANSWER, last=True)
    lead.on_end(aborted=False)
    reply, _, _ = await waiting
    assert json.loads(reply.body) == json.loads(ANSWER)


async def test_a_wait_in_vain_is_one_miss(make_engine):
    engine = make_engine(cache={"similar": False, "wait": "1ms"})
    exchanges = [engine.open(RequestHead("POST", CHAT, {"authorization": "a"})) for _ in range(2)]
    for exchange in exchanges:
        exchange.on_headers()
        assert isinstance(await exchange.on_body(chat("hello math")), Forward)
    assert engine.cache.counts == {("miss", "absent"): 1, ("miss", "waited"): 1}
    for exchange in exchanges:
        exchange.on_end(aborted=True)


async def test_a_mistake_of_ours_at_the_end_strands_nobody_and_is_counted(engine, observer, monkeypatch):
    def fail(_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(Capture, "finish", fail)
        with pytest.raises(ZeroDivisionError):
            await send(engine, chat("hello math"))
    assert len(observer.records) == 1
    async with asyncio.timeout(5):  # half of what it would wait
        assert isinstance((await send(engine, chat("hello math")))[0], Forward)


async def test_who_waits_for_an_aborted_request_goes_on(engine):
    lead = engine.open(RequestHead("POST", CHAT, {"authorization": "a"}))
    lead.on_headers()
    await lead.on_body(chat("hello math"))
    waiting = asyncio.create_task(send(engine, chat("hello math")))
    await asyncio.sleep(0)
    lead.on_end(aborted=True)
    assert isinstance((await waiting)[0], Forward)


def opened(engine):
    exchange = engine.open(RequestHead("POST", CHAT, {"authorization": "a"}))
    exchange.on_headers()
    return exchange


async def test_when_the_first_to_ask_leaves_one_of_those_who_wait_asks_for_all(engine):
    lead, body = opened(engine), chat("hello math")
    await lead.on_body(body)
    others = [opened(engine) for _ in range(20)]
    waiting = {asyncio.create_task(other.on_body(body)): other for other in others}
    await asyncio.sleep(0)
    lead.on_end(aborted=True)
    (went,), rest = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    assert isinstance(went.result(), Forward)
    next_one = waiting[went]
    next_one.on_response_start(ResponseHead(200, JSON))
    await next_one.on_chunk(ANSWER, last=True)
    next_one.on_end(aborted=False)
    assert [reply.body for reply in await asyncio.gather(*rest)] == [ANSWER] * 19


async def test_a_similar_answer_is_served_at_once_to_those_who_wait_as_well(engine, monkeypatch):
    similar, found = asyncio.Event(), Entry("e", "", "q", ANSWER, "chat", 0.0, 9.0, "", "math", "")

    async def lookup(*_: object, **__: object) -> Hit:
        await similar.wait()
        return Hit(found, "similar", 0.9, 0)

    monkeypatch.setattr(engine.cache, "lookup_similar", lookup)
    lead, *others = (opened(engine) for _ in range(5))
    tasks = [asyncio.create_task(exchange.on_body(chat("hello math"))) for exchange in (lead, *others)]
    await asyncio.sleep(0)
    similar.set()
    async with asyncio.timeout(5):  # half of what they would wait; nobody is at the end of its request yet
        assert [reply.body for reply in await asyncio.gather(*tasks)] == [ANSWER] * 5


@pytest.mark.parametrize("how", ["answered", "waited in vain", "gone"])
async def test_to_wait_is_no_work(make_engine, observer, clock, how):
    engine = make_engine(cache={"similar": False, "wait": "1ms" if how == "waited in vain" else "60s"})
    lead, other = opened(engine), opened(engine)
    await lead.on_body(chat("hello math"))
    waiting = asyncio.create_task(other.on_body(chat("hello math")))
    await asyncio.sleep(0)
    clock.now += 3
    if how == "answered":
        lead.on_response_start(ResponseHead(200, JSON))
        await lead.on_chunk(ANSWER, last=True)
        lead.on_end(aborted=False)
    elif how == "gone":
        waiting.cancel()
    await asyncio.wait({waiting})
    if how == "waited in vain":
        head = dict(other.on_response_start(ResponseHead(200, JSON)).set_headers)
        assert "waypost-total;dur=0.00" in head["server-timing"]
    other.on_end(aborted=how == "gone")
    record = observer.records[-1]
    assert (record.router_seconds, record.waited_seconds) == (0, 3)
    assert how == "gone" or record.steps["cache"].seconds == 3


async def test_masked_answers_are_kept_masked_and_restored_for_each(make_engine):
    engine = make_engine(
        cache={"similar": False},
        guard={"pii": {"action": "mask", "types": ["PERSON"]}},
        pii={"math": [], "general": []},
    )
    answer = ANSWER.replace(b"Four.", b"Dear <PERSON_1>")
    _, _, said = await send(engine, chat("write to Ann about math"), answer=answer)
    assert b"Dear Ann" in said
    reply, _, _ = await send(engine, chat("write to Bob about math"), answer=answer)
    assert b"Dear Bob" in reply.body
    assert b"Ann" not in reply.body


async def test_blocked_requests_do_not_reach_the_cache(make_engine, observer):
    engine = make_engine(cache={"similar": False}, guard={"jailbreak": {"action": "block"}})
    reply, _, _ = await send(engine, chat("attack math"))
    assert reply.status == 403
    assert observer.records[-1].recalled is None


@pytest.mark.parametrize(
    "head, pieces, complete",
    [
        ({"content-length": str(len(ANSWER))}, [ANSWER], True),
        ({"content-length": str(len(ANSWER))}, [ANSWER[:50]], False),
        ({"content-type": "text/event-stream"}, [b"data: {}\n\n", b"data: [DONE]\n\n"], True),
        ({"content-type": "text/event-stream"}, [b"data: {}\n\n"], False),
        ({}, [ANSWER], False),
    ],
    ids=["whole by its length", "cut", "a stream that is done", "a stream that is not", "nobody knows"],
)
async def test_who_leaves_with_the_whole_answer_did_not_abort(make_engine, observer, head, pieces, complete):
    exchange = make_engine().open(RequestHead("POST", CHAT))
    exchange.on_headers()
    await exchange.on_body(chat("hello math"))
    exchange.on_response_start(ResponseHead(200, {"content-type": "application/json", **head}))
    for piece in pieces:
        await exchange.on_chunk(piece, last=False)
    exchange.on_end(aborted=True)
    assert observer.records[-1].aborted is not complete


def answering(text: str) -> bytes:
    return ANSWER.replace(b"Four.", text.encode())


def checked(**guard: Any) -> dict[str, Any]:
    return {"jailbreak": {"answers": {"hold_back": 50}, **guard}}


async def test_an_answer_that_no_guard_has_judged_to_its_end_is_not_kept(make_engine):
    """Who leaves with the last byte has everything, but the guard hears of the end only after it."""
    engine = make_engine(cache={"similar": False}, guard=checked())
    body = answering("attack them so")
    exchange = engine.open(RequestHead("POST", CHAT, {"authorization": "a"}))
    exchange.on_headers()
    assert isinstance(await exchange.on_body(chat("how to, some math")), Forward)
    head = {"content-type": "application/json", "content-length": str(len(body))}
    exchange.on_response_start(ResponseHead(200, head))
    await exchange.on_chunk(body, last=False)
    exchange.on_end(aborted=True)
    await engine.cache.settle()
    again, _, _ = await send(engine, chat("how to, some math"))
    assert isinstance(again, Forward)


async def test_an_answer_is_not_kept_when_its_check_failed(make_engine):
    engine = make_engine(cache={"similar": False}, guard=checked(on_error="allow"))
    for _ in range(2):
        action, _, said = await send(engine, chat("how to, some math"), answer=answering("broken attack"))
        assert isinstance(action, Forward)
        assert b"broken attack" in said


async def test_an_answer_is_not_kept_when_the_operators_tools_were_missing(make_engine):
    class Late:
        digest = ""

        async def select(self, text, offer, settings):
            return ToolSelection("add", frozenset(), unknown="no result within 2 s")

    engine = replace(make_engine(cache={"similar": False}, tools={"mode": "add", "database": "t"}), tools=Late())
    for _ in range(2):
        action, _, _ = await send(engine, chat("two and two, some math"))
        assert isinstance(action, Forward)
