import json

import pytest

from waypost.cache.capture import Capture

STREAM = {"content-type": "text/event-stream; charset=utf-8"}
WHOLE = {"content-type": "application/json"}
ANSWER = {
    "id": "c1",
    "object": "chat.completion",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "a\n\n  b"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2},
}


WHOLES = {"headers": WHOLE}
DEEP = {"content": "a"}
for _ in range(600):
    DEEP = {"a": DEEP}


def events(*chunks, done=True):
    lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    return ("".join(lines) + ("data: [DONE]\n\n" if done else "")).encode()


def chunk(delta, finish=None, index=0, **more):
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    return {"id": "c1", "object": "chat.completion.chunk", "choices": [choice]} | more


def taken(data, headers=STREAM, status=200, max_bytes=10_000, pieces=7):
    capture = Capture(status, headers, max_bytes=max_bytes)
    for start in range(0, len(data), pieces):
        capture.feed(data[start : start + pieces])
    return capture.finish()


def message(*chunks):
    return json.loads(taken(events(*chunks)))["choices"][0]["message"]


def test_a_whole_body_is_kept_to_the_byte():
    body = json.dumps(ANSWER, indent=3).encode()
    assert taken(body, WHOLE) == body


def test_a_stream_becomes_a_body():
    usage = {"id": "c1", "choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}
    data = events(
        chunk({"role": "assistant", "content": ""}, usage=None),
        chunk({"content": "a\n"}, usage=None),
        chunk({"content": "\n  b"}, usage=None),
        chunk({}, "stop", usage=None),
        usage,
    )
    assert json.loads(taken(data)) == ANSWER


def test_tool_calls_are_joined_by_index():
    def call(index, **function):
        return {"index": index, "function": function}

    first = {"index": 0, "id": "x", "type": "function", "function": {"name": "f", "arguments": ""}}
    second = {"index": 1, "id": "y", "type": "function", "function": {"name": "g", "arguments": "{}"}}
    found = message(
        chunk({"role": "assistant", "tool_calls": [first]}),
        chunk({"tool_calls": [call(0, arguments='{"a":')]}),
        chunk({"tool_calls": [second, call(0, arguments=" 1}")]}),
        chunk({}, "tool_calls"),
    )
    assert found["content"] is None
    assert found["tool_calls"] == [
        {"id": "x", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}},
        {"id": "y", "type": "function", "function": {"name": "g", "arguments": "{}"}},
    ]


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "refusal", "content"])
def test_texts_grow(field):
    found = message(chunk({"role": "assistant"}), chunk({field: "one "}), chunk({field: "two"}), chunk({}, "stop"))
    assert found[field] == "one two"
    assert found["role"] == "assistant"


def test_a_repeated_role_is_said_once():
    assert message(chunk({"role": "assistant"}), chunk({"role": "assistant"}, "stop"))["role"] == "assistant"


def test_choices_and_logprobs_keep_apart():
    logprob = {"content": [{"token": "a"}]}
    first, second = chunk({"content": "a"}), chunk({"content": "b"}, index=1)
    first["choices"][0]["logprobs"] = second["choices"][0]["logprobs"] = logprob
    body = json.loads(taken(events(second, first, first, chunk({}, "stop"), chunk({}, "length", 1))))
    assert [choice["message"]["content"] for choice in body["choices"]] == ["aa", "b"]
    assert [len(choice["logprobs"]["content"]) for choice in body["choices"]] == [2, 1]


def test_a_completion_has_its_text_in_the_choice():
    pieces = [{"object": "text_completion", "choices": [{"index": 0, "text": t, "finish_reason": f}]}
              for t, f in (("a", None), ("b", "stop"))]  # fmt: skip
    body = json.loads(taken(events(*pieces)))
    assert body == {"object": "text_completion", "choices": [{"index": 0, "text": "ab", "finish_reason": "stop"}]}


GOOD = [chunk({"content": "a"}), chunk({}, "stop")]


@pytest.mark.parametrize(
    "reason, data, how",
    [
        ("status", events(*GOOD), {"status": 500}),
        ("status", events(*GOOD), {"status": 302}),
        ("encoded", events(*GOOD), {"headers": STREAM | {"content-encoding": "gzip"}}),
        ("truncated", events(*GOOD, done=False), {}),
        ("truncated", events(GOOD[0]), {}),
        ("truncated", events(), {}),
        ("truncated", events(*GOOD, chunk({"content": "b"}, index=1)), {}),
        ("truncated", events(chunk({}, "abort")), {}),
        ("filtered", events(GOOD[0], chunk({}, "content_filter")), {}),
        ("error", events(GOOD[0], {"error": {"message": "out of memory"}}, GOOD[1]), {}),
        ("malformed", b"data: {oops\n\n" + events(*GOOD), {}),
        ("malformed", events([1]), {}),
        ("malformed", events(chunk({"content": "a"}, "stop", logprob=float("-inf"))), {}),
        ("malformed", events(chunk({"content": "a"}, "stop")).replace(b'"id": "c1"', b'"id": 1e999'), {}),
        ("malformed", events(chunk({"tool_calls": ["f"]}, "stop")), {}),
        ("malformed", events(chunk({"content": [1]}, "stop")), {}),
        ("malformed", events(chunk("a", "stop")), {}),
        ("malformed", events(chunk({"content": "a"}, "stop"), chunk(DEEP), chunk(DEEP)), {"max_bytes": 10**6}),
        ("malformed", json.dumps(ANSWER | {"score": float("nan")}).encode(), {"headers": WHOLE}),
        ("malformed", json.dumps(ANSWER | {"choices": [{"text": 1, "finish_reason": "stop"}]}).encode(), WHOLES),
        ("too_large", events(*GOOD), {"max_bytes": 20}),
        ("too_large", events(*GOOD * 2000), {"max_bytes": 200}),
        ("malformed", b"", {"headers": WHOLE}),
        ("malformed", b"<html>", {"headers": WHOLE}),
        ("malformed", b'{"object":"list"}', {"headers": WHOLE}),
        ("malformed", b'{"choices":[1]}', {"headers": WHOLE}),
        ("truncated", b'{"choices":[]}', {"headers": WHOLE}),
        ("truncated", b'{"choices":[{"finish_reason":null}]}', {"headers": WHOLE}),
        ("truncated", b'{"choices":[{"finish_reason":{}}]}', {"headers": WHOLE}),
        ("malformed", json.dumps(ANSWER).encode()[:-3], {"headers": WHOLE}),
        ("error", b'{"error":{"code":1},"choices":[]}', {"headers": WHOLE}),
        ("too_large", json.dumps(ANSWER).encode(), {"headers": WHOLE, "max_bytes": 20}),
    ],
)
def test_what_is_not_kept(reason, data, how):
    assert taken(data, **how) == reason
