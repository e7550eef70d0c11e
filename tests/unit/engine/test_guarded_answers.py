"""What the guards do to answers, and how masks come back."""

from __future__ import annotations

import asyncio
import json

import pytest

from waypost.types import Reply, ResponseHead

JSON = {"content-type": "application/json", "content-length": "99"}
SSE = {"content-type": "text/event-stream"}
MASK = {"pii": {"action": "mask"}}
CHECKED = {"jailbreak": {"answers": {"hold_back": 50}}, "pii": {"action": "log", "answers": {}}}


def chat(text: str, **fields: object) -> bytes:
    return json.dumps({"model": "general", "messages": [{"role": "user", "content": text}], **fields}).encode()


def whole(text: str) -> bytes:
    return json.dumps(
        {"id": "c", "choices": [{"index": 0, "message": {"role": "assistant", "content": text}}]}
    ).encode()


def event(text: str) -> bytes:
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": text}}]}).encode() + b"\n\n"


def receive(exchange, *pieces: bytes) -> list[bytes | None]:
    async def run() -> list[bytes | None]:
        last = len(pieces) - 1
        return [await exchange.on_chunk(piece, last=number == last) for number, piece in enumerate(pieces)]

    return asyncio.run(run())


def test_masks_come_back_in_a_whole_answer(ask, make_engine):
    exchange, action = ask(make_engine(guard=MASK), chat("I am Ann"))
    assert b"Ann" not in action.body
    exchange.on_response_start(ResponseHead(200, JSON))
    body = whole("Hello <PERSON_1>!")
    assert receive(exchange, body[:40], body[40:], b"") == [b"", b"", whole("Hello Ann!")]


def test_masks_come_back_in_a_stream_cut_anywhere(ask, make_engine, observer):
    exchange, _ = ask(make_engine(guard=MASK), chat("I am Ann", stream=True))
    exchange.on_response_start(ResponseHead(200, SSE))
    usage = b'data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2}}\n\n'
    stream = event("Hello <PER") + event("SON_1>, hello") + usage + b"data: [DONE]\n\n"
    out = b"".join(filter(None, receive(exchange, *(stream[at : at + 1] for at in range(len(stream))), b"")))
    events = [json.loads(each[6:]) for each in out.split(b"\n\n") if each.startswith(b"data: {")]
    assert "".join(each["choices"][0]["delta"]["content"] for each in events if each["choices"]) == "Hello Ann, hello"
    assert out.endswith(b"data: [DONE]\n\n")
    exchange.on_end(aborted=False)
    assert observer.records[0].usage.completion_tokens == 2


def test_masks_come_back_in_a_backends_error(ask, make_engine):
    exchange, _ = ask(make_engine(guard=MASK), chat("I am Ann"))
    assert exchange.on_response_start(ResponseHead(400, JSON)).changes_body
    error = {"error": {"message": "Cannot say <PERSON_1>", "type": "x"}}
    (out,) = receive(exchange, json.dumps(error).encode())
    assert json.loads(out)["error"]["message"] == "Cannot say Ann"


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("text", "notice"),
    [
        ("how to make a bomb", "[The answer was stopped: it looks unsafe.]"),
        ("my owner is Bob", "[The answer was stopped: it holds personal data (PERSON).]"),
        ("broken", "[The answer was stopped: it could not be checked.]"),
    ],
)
def test_a_bad_answer_is_stopped(ask, make_engine, observer, streamed, text, notice):
    exchange, _ = ask(make_engine(guard=CHECKED), chat("I am Ann", stream=streamed))
    start = exchange.on_response_start(ResponseHead(200, SSE if streamed else JSON))
    assert start.changes_body
    assert ("content-length" in start.remove_headers) or streamed
    pieces = [event(text), b"data: [DONE]\n\n", b""] if streamed else [whole(text), b""]
    out = b"".join(receive(exchange, *pieces))
    assert text.encode() not in out
    assert notice.encode() in out
    assert b'"content_filter"' in out
    exchange.on_end(aborted=False)
    verdict = next(verdict for verdict in reversed(observer.records[0].verdicts) if verdict.in_answer)
    assert verdict.action == "block"
    assert "Bob" not in repr(observer.records)


def test_what_the_client_said_itself_is_no_leak(ask, make_engine):
    exchange, _ = ask(make_engine(guard=CHECKED), chat("I am Ann"))
    exchange.on_response_start(ResponseHead(200, JSON))
    assert receive(exchange, whole("Hello Ann")) == [whole("Hello Ann")]


def test_a_surrogate_is_no_leak_and_comes_back_after_the_check(ask, make_engine):
    exchange, _ = ask(make_engine(guard={"pii": {"action": "mask", "answers": {}}}), chat("I am Ann"))
    exchange.on_response_start(ResponseHead(200, JSON))
    assert receive(exchange, whole("Hello <PERSON_1>")) == [whole("Hello Ann")]


def test_an_unguarded_answer_passes_untouched(ask, make_engine):
    exchange, _ = ask(make_engine(guard={"jailbreak": {}}), chat("hello"))
    start = exchange.on_response_start(ResponseHead(200, JSON))
    assert (start.read_body, start.changes_body, start.remove_headers) == (True, False, ())
    assert receive(exchange, b"anything", b"") == [None, None]


@pytest.mark.parametrize(("on_error", "passes"), [("block", False), ("allow", True)])
def test_a_compressed_answer_cannot_be_checked(ask, make_engine, observer, on_error, passes):
    engine = make_engine(guard={"jailbreak": {"on_error": on_error, "answers": {}}})
    exchange, _ = ask(engine, chat("hello"))
    start = exchange.on_response_start(ResponseHead(200, JSON | {"content-encoding": "gzip"}))
    if passes:
        assert dict(start.set_headers)["x-vsr-guard-error"] == "jailbreak allowed: the answer is compressed"
        assert not start.read_body
    else:
        assert isinstance(start, Reply)
        assert json.loads(start.body)["error"]["code"] == "answer_not_checked"
    exchange.on_end(aborted=False)
    assert observer.records[0].status == (200 if passes else 502)


def test_a_compressed_answer_keeps_its_surrogates_and_says_so(ask, make_engine):
    exchange, _ = ask(make_engine(guard=MASK), chat("I am Ann"))
    start = exchange.on_response_start(ResponseHead(200, JSON | {"content-encoding": "br"}))
    assert "masked values were not put back" in dict(start.set_headers)["x-vsr-guard-error"]


def test_a_backends_error_is_no_answer_to_check(ask, make_engine):
    exchange, _ = ask(make_engine(guard=CHECKED), chat("hello"))
    start = exchange.on_response_start(ResponseHead(500, JSON))
    assert (start.read_body, start.changes_body) == (False, False)
