"""Bodies that are wrong in every way: each a 4xx in OpenAI's shape, and everything stays up."""

from __future__ import annotations

import json

import httpx
import pytest

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.parametrize("road", ["buffered", "full_duplex_streamed"], indirect=True),
]

CHAT = "/v1/chat/completions"
LIMIT = 50 * 2**20
HELLO = {"model": "MoM", "messages": [{"role": "user", "content": "hello"}]}


def chat(**fields: object) -> bytes:
    return json.dumps({**HELLO, **fields}).encode()


HOSTILE = {
    "empty": (b"", 400),
    "not json": (b"model=MoM", 400),
    "half of a json": (chat()[:-9], 400),
    "two json values": (chat() + chat(), 400),
    "an array": (b"[]", 400),
    "a bare word": (b"null", 400),
    "nan": (chat()[:-1] + b', "temperature": NaN}', 400),
    "utf-16": (chat().decode().encode("utf-16"), 400),
    "invalid utf-8": (chat(user="é").replace(b"hello", b"he\xffo"), 400),
    "a lone surrogate in bytes": (chat().replace(b"hello", b"\xed\xa0\x80"), 400),
    "a control character in a string": (chat().replace(b"hello", b"he\x00o"), 400),
    "100-deep nesting": (chat(metadata=0)[:-2] + b"[" * 100 + b"]" * 100 + b"}", 400),
    "100000-deep nesting": (b'{"a":' * 100_000, 400),
    "no model": (json.dumps({"messages": HELLO["messages"]}).encode(), 400),
    "a model of the wrong type": (chat(model=["MoM"]), 400),
    "an empty model": (chat(model=""), 400),
    "an unknown model": (chat(model="gpt-9"), 404),
    "a hostile model name": (chat(model="a\r\nx-selected-model: math"), 404),
    "no messages": (b'{"model": "MoM"}', 400),
    "an empty list of messages": (chat(messages=[]), 400),
    "messages of the wrong type": (chat(messages="hello"), 400),
    "a message of the wrong type": (chat(messages=["hello"]), 400),
    "a message without a role": (chat(messages=[{"content": "hello"}]), 400),
    "content of the wrong type": (chat(messages=[{"role": "user", "content": 7}]), 400),
    "a stream of the wrong type": (chat(stream="yes"), 400),
}


def check_error(answer: httpx.Response, status: int) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    (error,) = answer.json().values()
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["type"] == "invalid_request_error"
    assert error["message"]
    assert "Traceback" not in error["message"]


async def check_alive(road) -> None:
    assert (await road.http.post(CHAT, json=HELLO)).status_code == 200
    assert await road.router.metric("waypost_processor_errors_total") == 0
    assert await road.router.metric("waypost_child_restarts_total") == 0


async def test_each_wrong_body_is_a_4xx_and_everything_stays_up(road):
    for what, (body, status) in HOSTILE.items():
        answer = await road.http.post(CHAT, content=body)
        assert (what, answer.status_code) == (what, status)
        check_error(answer, status)
    assert not road.received
    await check_alive(road)


async def test_a_body_over_the_limit_is_a_413(road):
    body = chat(messages=[{"role": "user", "content": "x" * LIMIT}])
    check_error(await road.http.post(CHAT, content=body), 413)

    async def pieces():
        for start in range(0, len(body), 2**20):
            yield body[start : start + 2**20]

    check_error(await road.http.post(CHAT, content=pieces()), 413)
    assert not road.received
    await check_alive(road)


async def test_a_body_just_under_the_limit_passes_whole(road):
    text = "word " * ((LIMIT - 4096) // 5)
    body = {"model": "general", "messages": [{"role": "user", "content": text}]}
    answer = await road.http.post(CHAT, json=body)
    assert answer.status_code == 200
    ((name, request),) = road.received
    assert (name, request.json) == ("general", body)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
async def test_another_verb_is_a_405(road, method):
    answer = await road.http.request(method, CHAT)
    check_error(answer, 405)
    assert answer.json()["error"]["code"] == "method_not_allowed"
    assert not road.received
