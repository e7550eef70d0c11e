import json

import pytest

from waypost.guard.heard import heard
from waypost.wire import chat, completions
from waypost.wire.document import Document
from waypost.wire.texts import texts


def spoken(body: dict, read=chat.read) -> list[tuple[str, str]]:
    document = Document.parse(json.dumps({"model": "m", **body}).encode())
    request = heard(read(document), texts(document))
    return [(message.role, message.text) for message in request.messages]


def call(arguments: object) -> dict:
    return {"id": "1", "type": "function", "function": {"name": "f", "arguments": arguments}}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"role": "user", "content": "hi"}, [("user", "hi")]),
        (
            {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
            [("user", "a\nb")],
        ),
        ({"role": "tool", "tool_call_id": "1", "content": "r"}, [("tool", "r")]),
        (
            {"role": "assistant", "content": "c", "reasoning_content": "r"},
            [("assistant", "c"), ("assistant", "r")],
        ),
        (
            {"role": "assistant", "content": "c", "tool_calls": [call('{"a": "x", "b": ["y"]}'), call("plain")]},
            [("assistant", "c\nx\ny\nplain")],
        ),
        (
            {"role": "assistant", "content": "c", "tool_calls": [call({"a": "x", "input": ["y"]}), call({"z": "z"})]},
            [("assistant", "c"), ("assistant", "x\ny"), ("assistant", "z")],
        ),
        (
            {"role": "assistant", "content": "c", "function_call": {"name": "f", "arguments": {"a": "x"}}},
            [("assistant", "c"), ("assistant", "x")],
        ),
    ],
)
def test_what_stands_beside_a_message_follows_it(message, expected):
    last = {"role": "user", "content": "go on"}
    assert spoken({"messages": [message, last]}) == [*expected, ("user", "go on")]


def test_predictions_and_suffixes_come_last():
    said = spoken({"messages": [{"role": "user", "content": "hi"}], "prediction": {"type": "content", "content": "p"}})
    assert said == [("user", "hi"), ("assistant", "p")]
    assert spoken({"prompt": "a", "suffix": "b"}, completions.read) == [("user", "a"), ("user", "b")]
