import json

import pytest

from waypost.types import Usage
from waypost.wire.usage import UsageReader

SSE = "text/event-stream; charset=utf-8"
JSON = "application/json"
TOKENS = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


def event(**fields: object) -> bytes:
    return f"data: {json.dumps(fields)}\n\n".encode()


def delta(**fields: object) -> bytes:
    return event(choices=[{"index": 0, "delta": fields}])


def usage(content_type: str, *chunks: bytes, **limits: int) -> Usage | None:
    reader = UsageReader(content_type, **limits)
    for chunk in chunks:
        reader.feed(chunk)
    assert reader.chunks == len(chunks)
    return reader.result()


def test_the_usage_of_a_json_answer() -> None:
    body = json.dumps({"choices": [], "usage": TOKENS}).encode()
    assert usage(JSON, body[:9], body[9:]) == Usage(7, 3)


def test_the_usage_of_a_stream_is_the_last_reported() -> None:
    assert usage(
        SSE,
        event(choices=[], usage={"prompt_tokens": 7, "completion_tokens": 1}),
        event(choices=[], usage=TOKENS),
        event(choices=[], usage=None),
        b"data: [DONE]",
    ) == Usage(7, 3)


def test_generated_text_cannot_pose_as_usage() -> None:
    assert usage(SSE, delta(content='{"usage": {"prompt_tokens": 1, "completion_tokens": 1}}')) is None


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\xff\xfe garbage",
        b"{",
        b"[]",
        b'{"usage": null}',
        b'{"usage": {}}',
        b'{"usage": {"prompt_tokens": "7", "completion_tokens": 3}}',
        b'{"usage": {"prompt_tokens": -7, "completion_tokens": 3}}',
        b'{"usage": {"prompt_tokens": 1.5, "completion_tokens": 3}}',
        b'{"usage": {"prompt_tokens": ' + b"9" * 400 + b', "completion_tokens": 3}}',
        b'{"usage": {"prompt_tokens": 7, "completion_tokens": 9007199254740993}}',
        b'{"usage": {"prompt_tokens": ' + b"9" * 5000 + b', "completion_tokens": 3}}',
        b"[" * 100_000,
    ],
)
def test_garbage_has_no_usage(answer: bytes) -> None:
    assert usage(JSON, answer) is None
    assert usage(SSE, b"data: " + answer + b"\n\n") is None
    assert usage("", answer) is None


def test_a_long_json_answer_has_no_usage() -> None:
    body = json.dumps({"usage": TOKENS}).encode()
    assert usage(JSON, body, max_body=len(body)) == Usage(7, 3)
    assert usage(JSON, body, max_body=len(body) - 1) is None
    assert usage(JSON, b" " * 40, body, max_body=60) is None


@pytest.mark.parametrize(
    "chunk, is_token",
    [
        (b": keep-alive\n\n", False),
        (b"data: [DONE]\n\n", False),
        (delta(role="assistant", content=""), False),
        (delta(role="assistant", content=None), False),
        (event(choices=[], usage=TOKENS), False),
        (delta(content="Hi"), True),
        (delta(content='"'), True),
        (delta(reasoning_content="Hm"), True),
        (delta(tool_calls=[{"index": 0, "function": {"name": "f", "arguments": ""}}]), True),
        (event(choices=[{"index": 0, "text": "Hi"}]), True),
    ],
)
def test_the_first_token_of_a_stream(chunk: bytes, is_token: bool) -> None:
    reader = UsageReader(SSE)
    reader.feed(chunk)
    assert reader.first_token is is_token
    reader.feed(delta(content="x"))
    reader.feed(delta(content=""))
    assert reader.first_token


def test_a_json_answer_has_its_first_token_with_its_first_byte() -> None:
    reader = UsageReader(JSON)
    reader.feed(b"")
    assert not reader.first_token
    reader.feed(b"{")
    assert reader.first_token
