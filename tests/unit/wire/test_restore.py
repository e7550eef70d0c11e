"""The vault here is a plain one: what bends surrogates is tested with the real one."""

import json
from typing import Any

import pytest

from waypost.wire.document import Document
from waypost.wire.restore import Restorer, wants_json

VALUES = {"<P_1>": "Ann", "<P_2>": 'J "Q"\nDoe'}
BEGUN = {name[:length] for name in VALUES for length in range(1, len(name))}
SSE = "text/event-stream; charset=utf-8"


class PlainVault:
    def restore(self, text: str, *, in_json: bool = False) -> str:
        for surrogate, value in VALUES.items():
            text = text.replace(surrogate, json.dumps(value)[1:-1] if in_json else value)
        return text

    def held_from(self, text: str) -> int:
        begun = (at for at in range(len(text)) if text[at:] in BEGUN)
        return next(begun, len(text))


def restored(body: bytes, content_type: str = "application/json", *, json_content: bool = False) -> bytes:
    restorer = Restorer(PlainVault(), content_type, json_content=json_content)
    return restorer.feed(body) + restorer.end()


def whole(choice: object) -> Any:
    body = json.loads(restored(json.dumps({"id": "c", "choices": [choice]}).encode()))
    return body["choices"][0]


def event(delta: object = None, *, index: int = 0, **fields: object) -> str:
    choice = {"index": index, "delta": delta if delta is not None else {}, "finish_reason": None, **fields}
    return f"data: {json.dumps({'id': 'c', 'model': 'm', 'choices': [choice]})}\n\n"


def argument(text: str, index: int = 0) -> dict[str, Any]:
    return {"tool_calls": [{"index": index, "function": {"arguments": text}}]}


def streamed(*events: str, json_content: bool = False) -> list[Any]:
    """The data of the events that the client gets."""
    out = restored("".join(events).encode(), SSE, json_content=json_content).decode()
    data = [line.removeprefix("data: ") for line in out.splitlines() if line]
    return [item if item == "[DONE]" else json.loads(item) for item in data]


def deltas(events: list[Any]) -> list[Any]:
    return [choice["delta"] for item in events if item != "[DONE]" for choice in item["choices"]]


@pytest.mark.parametrize(
    "choice, expected",
    [
        ({"message": {"content": "Hi <P_2>"}}, {"message": {"content": 'Hi J "Q"\nDoe'}}),
        ({"message": {"content": None, "refusal": "<P_1>"}}, {"message": {"content": None, "refusal": "Ann"}}),
        (
            {"message": {"reasoning_content": "<P_1>", "reasoning": "<P_1>"}},
            {"message": {"reasoning_content": "Ann", "reasoning": "Ann"}},
        ),
        ({"text": "<P_1> <P_1>"}, {"text": "Ann Ann"}),
        (
            {"message": {"tool_calls": [{"id": "<P_1>", "function": {"name": "f", "arguments": '{"a":"<P_2>"}'}}]}},
            {
                "message": {
                    "tool_calls": [
                        {"id": "<P_1>", "function": {"name": "f", "arguments": '{"a":"J \\"Q\\"\\nDoe"}'}},
                    ]
                }
            },
        ),
        (
            {"message": {"function_call": {"arguments": '["<P_2>"]'}}},
            {"message": {"function_call": {"arguments": '["J \\"Q\\"\\nDoe"]'}}},
        ),
        (
            {"message": {"tool_calls": [{"custom": {"input": "<P_2>"}}]}},
            {"message": {"tool_calls": [{"custom": {"input": 'J "Q"\nDoe'}}]}},
        ),
        ({"logprobs": {"content": [{"token": "<P_1>"}]}}, {"logprobs": {"content": [{"token": "<P_1>"}]}}),
    ],
)
def test_a_whole_answer_is_restored(choice: object, expected: object) -> None:
    assert whole(choice) == expected


def test_bytes_that_are_no_generated_text_stay() -> None:
    body = b'{ "x":1.50, "choices":[{"message":{"content":"\\u003cP_1>"} , "y":1e999}]}\n'
    assert restored(body) == body.replace(b"\\u003cP_1>", b"Ann")


def test_an_errors_message_is_restored() -> None:
    assert restored(b'{"error":{"message":"bad <P_1>"}}') == b'{"error":{"message":"bad Ann"}}'


@pytest.mark.parametrize(
    "body",
    [b"", b"<P_1>", b'{"choices":[{"text":"<P_1>"', b'{"choices":"<P_1>"}', b'{"choices":[7]}', b"\xff", b"[" * 9999],
)
@pytest.mark.parametrize("content_type", ["application/json", "", "text/html", SSE])
def test_what_is_no_answer_passes(body: bytes, content_type: str) -> None:
    assert restored(body, content_type) == body


def test_a_whole_answer_is_held_to_its_end() -> None:
    restorer = Restorer(PlainVault(), "application/json")
    assert restorer.feed(b'{"choices":[{"text":"<P') == b""
    assert restorer.feed(b'_1>"}]}') == b""
    assert restorer.end() == b'{"choices":[{"text":"Ann"}]}'


def test_a_body_that_is_too_long_passes() -> None:
    restorer = Restorer(PlainVault(), "application/json", max_body=10)
    assert restorer.feed(b'{"a": ') == b""
    assert restorer.feed(b"<P_1>") == b'{"a": <P_1>'
    assert restorer.feed(b"}") == b"}"
    assert restorer.end() == b""


@pytest.mark.parametrize("json_content, expected", [(False, 'J "Q"\nDoe'), (True, 'J \\"Q\\"\\nDoe')])
def test_content_may_be_json(json_content: bool, expected: str) -> None:
    body = b'{"choices":[{"message":{"content":"<P_2>","reasoning":"<P_2>"}}]}'
    message = json.loads(restored(body, json_content=json_content))["choices"][0]["message"]
    assert message == {"content": expected, "reasoning": 'J "Q"\nDoe'}
    assert deltas(streamed(event({"content": "<P_2>"}), json_content=json_content)) == [{"content": expected}]


@pytest.mark.parametrize(
    "fields, expected",
    [
        ({}, False),
        ({"response_format": {"type": "text"}}, False),
        ({"response_format": {"type": "json_object"}}, True),
        ({"response_format": {"type": "json_schema", "json_schema": {}}}, True),
        ({"structured_outputs": {"json": {}}}, True),
        ({"structured_outputs": {"regex": "a"}}, False),
        ({"guided_json": {}}, True),
    ],
)
def test_a_request_may_want_json(fields: dict[str, object], expected: bool) -> None:
    assert wants_json(Document.parse(json.dumps(fields).encode())) is expected


def test_a_surrogate_is_restored_over_deltas() -> None:
    parts = ["Hi <", "P_", "1", ">!"]
    events = streamed(*(event({"content": part}) for part in parts), event(finish_reason="stop"), "data: [DONE]\n\n")
    assert [delta.get("content") for delta in deltas(events)] == ["Hi ", "", "", "Ann!", None]
    assert events[-1] == "[DONE]"


def test_texts_are_restored_apart() -> None:
    events = streamed(
        event({"content": "<P", "reasoning": "<P_"}),
        event({"content": "<P"}, index=1),
        event(argument('{"a":"<P')),
        event(argument('{"b":"<P', index=1)),
        event({"content": "_1>", "reasoning": "2>"}),
        event({"content": "_2>"}, index=1),
        event(argument('_2>"}')),
        event(argument('_1>"}', index=1)),
    )
    assert deltas(events)[4:] == [
        {"content": "Ann", "reasoning": 'J "Q"\nDoe'},
        {"content": 'J "Q"\nDoe'},
        argument('J \\"Q\\"\\nDoe"}'),
        argument('Ann"}', index=1),
    ]


def test_what_was_no_surrogate_comes_before_the_finish() -> None:
    held = [event({"content": "a <P_"}), event(argument("<", 3)), event({"content": "<"}, index=1)]
    events = streamed(*held, event(finish_reason="stop"), event({"content": "b"}, index=1))
    assert events[3] == {
        "id": "c",
        "model": "m",
        "choices": [
            {"index": 0, "delta": {"content": "<P_"}, "finish_reason": None},
            {"index": 0, "delta": argument("<", 3), "finish_reason": None},
        ],
    }
    assert events[4]["choices"][0]["finish_reason"] == "stop"
    assert deltas(events)[-1] == {"content": "<b"}


def test_the_last_delta_may_finish() -> None:
    events = streamed(event({"content": "<P"}), event({"content": "_1> <P_"}, finish_reason="stop"))
    assert deltas(events) == [{"content": ""}, {"content": "Ann <P_"}]


@pytest.mark.parametrize("end", ["data: [DONE]\n\n", "data:[DONE]\r\n\r\n", ""])
def test_what_is_held_is_not_lost_at_the_end(end: str) -> None:
    out = restored((event({"content": "a <P"}) + end).encode(), SSE)
    held = b'data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"<P"},"finish_reason":null}]}\n\n'
    assert out == event({"content": "a "}).encode() + held + end.encode()


def test_a_stream_that_lacks_its_last_blank_line_is_restored() -> None:
    body = event({"content": "<P_1> <P"}).rstrip("\n").encode()
    first, second = restored(body, SSE).split(b"\n\n", 1)
    assert first == body.replace(b"<P_1> <P", b"Ann ")
    assert b'"content":"<P"' in second


def test_completions_are_restored() -> None:
    body = b'data: {"choices":[{"text":"<P"}]}\n\ndata: {"choices":[{"text":"_1> <"}]}\n\ndata: [DONE]\n\n'
    assert restored(body, SSE) == (
        b'data: {"choices":[{"text":""}]}\n\ndata: {"choices":[{"text":"Ann "}]}\n\n'
        b'data: {"choices":[{"index":0,"text":"<","finish_reason":null}]}\n\ndata: [DONE]\n\n'
    )


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_rest_of_a_stream_stays(end: str) -> None:
    lines = [
        ": <P_1> is a comment",
        "",
        "id: <P_1>",
        'data:{"choices":[{"delta":{"role":"assistant","x":"<P_1>"}}], "n":1.0}',
        "",
        "event: message",
        'data: {"choices": [{"delta":',
        'data: {"content":"X"}}]}',
        "retry: 1",
        "",
        'data: {"choices":[],"usage":{"prompt_tokens":1}}',
        "",
        "data: <P_1>",
        "",
        "",
        "data: [DONE]",
        "",
        "",
    ]
    body = end.join(lines).encode()
    assert restored(body.replace(b"X", b"<P_1>"), SSE) == body.replace(b"X", b"Ann")


def test_each_event_passes_as_soon_as_it_is_complete() -> None:
    restorer = Restorer(PlainVault(), SSE)
    first, second = event({"content": "<P_1>"}).encode(), event({"content": "x"}).encode()
    assert restorer.feed(first[:-1]) == b""
    assert restorer.feed(first[-1:] + second[:5]) == first.replace(b"<P_1>", b"Ann")
    assert restorer.feed(second[5:]) == second


def test_an_event_that_is_too_long_passes_and_the_next_is_restored() -> None:
    restorer = Restorer(PlainVault(), SSE)
    long = b"data: " + b"<P_1>" * 2**18
    out = restorer.feed(long)
    assert len(long) - len(out) < 4
    out += restorer.feed(b"\n\n" + event({"content": "<P_1>"}).encode())
    assert out == long + b"\n\n" + event({"content": "Ann"}).encode()
