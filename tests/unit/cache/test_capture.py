import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waypost.cache.capture import GROWING, Capture, lacks_usage

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


def taken(data, headers=STREAM, status=200, max_bytes=10_000, pieces=7, usage_asked=True):
    capture = Capture(status, headers, max_bytes=max_bytes, usage_asked=usage_asked)
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


def said(*deltas):
    """The message that these deltas make."""
    return message(*map(chunk, deltas), chunk({}, "stop"))


@pytest.mark.parametrize("field", sorted(GROWING))
def test_pieces_that_are_alike_are_still_pieces(field):
    assert said({field: "\n"}, {field: "\n"})[field] == "\n\n"


@pytest.mark.parametrize("format_", ["anthropic-claude-v1", None])
def test_details_of_reasoning_have_their_text_whole_and_their_names_once(format_):
    def detail(**more):
        fixed = {"type": "reasoning.text", "index": 0, "format": format_, "model_family": "claude"}
        return {"reasoning_details": [fixed | more]}

    found = said(
        detail(text="Let "),
        detail(text="me "),
        detail(text="me "),
        detail(text="see", summary="S"),
        detail(signature="Eq"),
    )
    assert found["reasoning_details"] == [
        {
            "type": "reasoning.text",
            "index": 0,
            "format": format_,
            "model_family": "claude",
            "text": "Let me me see",
            "summary": "S",
            "signature": "Eq",
        }
    ]


@pytest.mark.parametrize(
    "pieces, text",
    [
        (["a"], "a"),
        (["", "a", ""], "a"),
        (["x1", "x1", "x1"], "x1"),
        (["a", "b"], "ab"),
        (["a", "a", "b"], "aab"),
        (["a", "b", "ab"], "abab"),
    ],
)
@pytest.mark.parametrize("wrap", [lambda text: {"new": text}, lambda text: {"news": [{"index": 0, "new": text}]}])
def test_a_text_that_nobody_knows_is_a_name_when_all_its_pieces_are_alike(pieces, text, wrap):
    found = said(*map(wrap, pieces))
    assert found | wrap(text) == found


@pytest.mark.parametrize("name", ["status", "thought_signature", "item_id"])
def test_of_a_name_the_last_is_taken(name):
    assert said({name: "queued"}, {name: "queued"}, {name: "done"}, {name: ""})[name] == "done"


def test_sound_is_joined():
    found = said(
        {"audio": {"id": "a1", "transcript": "ha"}},
        {"audio": {"data": "AAAA"}},
        {"audio": {"data": "AAAA", "transcript": "ha"}},
        {"audio": {"id": "a1", "expires_at": 5}},
    )
    assert found["audio"] == {"id": "a1", "transcript": "haha", "data": "AAAAAAAA", "expires_at": 5}


def test_the_only_call_of_old_is_joined():
    found = message(
        chunk({"function_call": {"name": "f", "arguments": "{"}}),
        chunk({"function_call": {"name": "f", "arguments": "{"}}),
        chunk({}, "function_call"),
    )
    assert found["function_call"] == {"name": "f", "arguments": "{{"}


@settings(deadline=None)
@given(st.lists(st.text(max_size=3), max_size=8))
def test_whatever_the_pieces_the_text_is_all_of_them(pieces):
    found = said(*({"content": piece, "reasoning_details": [{"index": 0, "text": piece}]} for piece in pieces))
    assert found["content"] == ("".join(pieces) if pieces else None)
    if pieces:
        assert found["reasoning_details"][0]["text"] == "".join(pieces)


def test_what_each_chunk_judges_of_the_answer_is_not_joined():
    """Azure says it beside each delta, and something else of the prompt in a chunk without id or model."""

    def judged(hate, **more):
        results = {"hate": {"filtered": False, "severity": hate}, "lists": {"details": [{"id": "b"}]}}
        return {"content_filter_results": results | more}

    pieces = [chunk({"role": "assistant", "content": ""}), *(chunk({"content": text}) for text in "abc")]
    end = chunk({}, "stop")
    for piece, results in zip((*pieces, end), (*[judged("safe")] * 4, {"content_filter_results": {}}), strict=True):
        piece["choices"][0] |= results
    pieces[2]["choices"][0] |= judged("low", violence={"filtered": False, "severity": "safe"})
    first = {"id": "", "model": "", "object": "", "created": 0, "choices": [], "prompt_filter_results": [{"a": 1}]}
    late = first | {"choices": [{"index": 0, "finish_reason": None, "content_filter_offsets": {"check_offset": 1}}]}
    body = json.loads(taken(events(first, *(piece | {"model": "m", "created": 7} for piece in (*pieces, end)), late)))
    assert (body["id"], body["model"], body["object"], body["created"]) == ("c1", "m", "chat.completion", 7)
    assert body["prompt_filter_results"] == [{"a": 1}]
    (choice,) = body["choices"]
    assert choice["content_filter_results"] == {
        "hate": {"filtered": False, "severity": "safe"},
        "violence": {"filtered": False, "severity": "safe"},
        "lists": {"details": [{"id": "b"}]},
    }
    assert choice["content_filter_offsets"] == {"check_offset": 1}
    assert (choice["message"]["content"], choice["finish_reason"]) == ("abc", "stop")


def test_what_covers_the_length_of_packets_is_not_kept():
    body = json.loads(taken(events(chunk({"content": "a"}, obfuscation="Xq1"), chunk({}, "stop", obfuscation="z"))))
    assert "obfuscation" not in body


def test_tokens_beside_a_text_are_joined():
    pieces = [chunk({"content": "a"}), chunk({"content": "b"}), chunk({}, "stop")]
    for piece, tokens in zip(pieces, ([1, 2], [3], None), strict=True):
        piece["choices"][0]["token_ids"] = tokens
    assert json.loads(taken(events(*pieces)))["choices"][0]["token_ids"] == [1, 2, 3]


def test_logprobs_of_a_completion_are_joined():
    def piece(text, finish=None):
        logprobs = {"tokens": [text], "token_logprobs": [-1.0], "top_logprobs": None}
        choice = {"index": 0, "text": text, "logprobs": logprobs, "finish_reason": finish}
        return {"object": "text_completion", "choices": [choice]}

    (choice,) = json.loads(taken(events(piece("a"), piece("a", "stop"))))["choices"]
    assert choice["text"] == "aa"
    assert choice["logprobs"] == {"tokens": ["a", "a"], "token_logprobs": [-1.0, -1.0], "top_logprobs": None}


BRIEF = [chunk({"content": "a"}), chunk({}, "stop")]
USAGE = {"id": "c1", "choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}


@pytest.mark.parametrize(
    "data, how, lacks",
    [
        (events(*BRIEF), {"usage_asked": False}, True),
        (events(*BRIEF), {"usage_asked": True}, False),
        (events(*BRIEF, USAGE), {"usage_asked": False}, False),
        (events(*({"usage": None} | piece for piece in BRIEF)), {"usage_asked": True}, False),
        (json.dumps(ANSWER | {"usage": None}).encode(), {"headers": WHOLE, "usage_asked": False}, False),
    ],
    ids=["nobody asked", "it has none", "it was told all the same", "it has none and says so", "as it was sent"],
)
def test_a_body_tells_whether_nobody_asked_for_its_usage(data, how, lacks):
    body = taken(data, **how)
    assert lacks_usage(body) is lacks


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
        ("malformed", events(chunk({"content": "a"}, "stop"), {"choices": [{"index": 0, "message": "m"}]}), {}),
        ("malformed", events({"choices": [{"text": "a"}]}, {"choices": [{"text": 5, "finish_reason": "stop"}]}), {}),
        ("too_large", events(*(chunk({}, "stop", index) for index in range(1025))), {"max_bytes": 10**6}),
        ("too_large", events(chunk({"tool_calls": [{"id": "x"}] * 1024}, "stop")), {"max_bytes": 10**6}),
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
