import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waypost.cache.capture import Capture
from waypost.cache.entry import Entry
from waypost.cache.replay import replay, stream, wants_usage
from waypost.wire.document import Document
from waypost.wire.sse import SseReader

TEXT = "def f():\n\n    return 'ü'  # 中文 😀\r\n\tend\u2028" * 5
CALLS = [{"id": "x", "type": "function", "function": {"name": "f", "arguments": '{"a": "b\\n"}'}}]


def entry(*choices, wire="chat", **top):
    kind = "chat.completion" if wire == "chat" else "text_completion"
    body = {"id": "c1", "object": kind, "created": 5, "model": "m", "choices": list(choices)} | top
    return Entry("e", "", "", json.dumps(body).encode(), wire, 0.0, 9.0, "", "m", "")


def choice(index=0, finish="stop", **message):
    return {
        "index": index,
        "message": {"role": "assistant", "content": None} | message,
        "logprobs": None,
        "finish_reason": finish,
    }


ENTRIES = [
    entry(choice(content=TEXT), usage={"prompt_tokens": 1, "completion_tokens": 2}),
    entry(choice(content="")),
    entry(choice(content="answer", reasoning_content=TEXT)),
    entry(choice(finish="tool_calls", tool_calls=CALLS)),
    entry(choice(content="both", tool_calls=CALLS * 2, finish="tool_calls")),
    entry(choice(content="a"), choice(1, "length", content="b"), system_fingerprint="fp"),
    entry(choice(refusal="I will not.")),
    entry({"index": 0, "text": TEXT, "logprobs": None, "finish_reason": "length"}, wire="completions"),
    entry(
        choice(content="x" * 100) | {"logprobs": {"content": [{"token": "x", "logprob": -1.0}]}, "stop_reason": "\n"}
    ),
]


@pytest.mark.parametrize("kept", ENTRIES)
def test_a_stream_says_what_the_body_says(kept):
    capture = Capture(200, {"content-type": "text/event-stream"}, max_bytes=10_000)
    capture.feed(b"".join(stream(kept, usage=True)))
    again, body = json.loads(capture.finish()), json.loads(kept.body)
    assert again["choices"] == body["choices"]
    assert again.get("usage") == body.get("usage")
    assert {**again, "choices": 0, "usage": 0} == {**body, "choices": 0, "usage": 0}


@pytest.mark.parametrize("kept", ENTRIES)
def test_chunks_are_framed_as_backends_frame_them(kept):
    events = list(stream(kept, usage=False))
    assert all(event.startswith(b"data: ") and event.endswith(b"\n\n") and event.count(b"\n") == 2 for event in events)
    assert events[-1] == b"data: [DONE]\n\n"
    chunks = [json.loads(data) for event in events[:-1] for data in SseReader().feed(event)]
    assert {chunk["id"] for chunk in chunks} == {"c1"}
    assert {chunk["object"] for chunk in chunks} == {
        "chat.completion.chunk" if kept.wire == "chat" else "text_completion"
    }
    assert not any("usage" in chunk for chunk in chunks)
    ends = [part["finish_reason"] for chunk in chunks for part in chunk["choices"] if part["finish_reason"]]
    assert ends == [one["finish_reason"] for one in json.loads(kept.body)["choices"]]


def test_usage_comes_last_and_only_when_it_was_asked_for():
    *_, last, done = stream(ENTRIES[0], usage=True)
    assert json.loads(last[6:])["usage"] == {"prompt_tokens": 1, "completion_tokens": 2}
    assert json.loads(last[6:])["choices"] == []
    assert done == b"data: [DONE]\n\n"


def chunks(kept, **how):
    return [json.loads(event[6:]) for event in list(stream(kept, **{"usage": False} | how))[:-1]]


def test_no_chunk_tells_usage_that_is_not_known():
    assert all(chunk["choices"] and chunk["usage"] is None for chunk in chunks(ENTRIES[1], usage=True))


def test_what_is_said_of_the_whole_answer_is_said_once():
    """vLLM's ids and logprobs of a prompt are longer than any answer."""
    names = {"created": 5, "model": "m", "system_fingerprint": "fp", "service_tier": "default"}
    whole = {"prompt_token_ids": [1, 2], "prompt_logprobs": [None], "kv_transfer_params": None, "citations": []}
    first, *rest = chunks(entry(choice(content=TEXT), **names, **whole))
    assert first.items() >= (names | whole).items()
    assert len(rest) > 5
    for each in rest:
        assert each.keys() == {"id", "object", "choices"} | names.keys()
        assert each.items() >= names.items()


def test_a_name_as_long_as_an_answer_is_said_once():
    long = "x" * 1000
    first, *rest = chunks(entry(choice(content=TEXT), system_fingerprint=long))
    assert first["system_fingerprint"] == long
    assert not any("system_fingerprint" in each for each in rest)


def test_only_texts_that_come_in_pieces_are_said_in_pieces():
    other = {"signature": "s" * 100, "annotations": [{"url": "u"}], "audio": {"id": "a", "data": "d" * 100}}
    deltas = [each["choices"][0]["delta"] for each in chunks(entry(choice(content="c" * 100, **other)))]
    assert [delta["content"] for delta in deltas if "content" in delta] == ["", "c" * 48, "c" * 48, "c" * 4]
    assert deltas[-2:] == [other, {}]


LONG = st.tuples(st.sampled_from('aü中😀\n"'), st.integers(0, 300_000)).map(lambda drawn: drawn[0] * drawn[1])


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.fixed_dictionaries({"content": LONG}, optional={"reasoning_content": LONG}), min_size=1, max_size=3),
    st.integers(0, 50_000),
    LONG,
)
def test_a_stream_is_not_much_longer_than_its_body(messages, prompt, model):
    choices = [choice(number, **message) for number, message in enumerate(messages)]
    kept = entry(*choices, prompt_token_ids=[128_000] * prompt, system_fingerprint="fp_0123456789", model=model)
    assert sum(map(len, stream(kept, usage=True))) < 2 * len(kept.body) + 2**20


@pytest.mark.parametrize(
    "body, wanted",
    [(b"{}", False), (b'{"stream_options":null}', False), (b'{"stream_options":{"include_usage":true}}', True)],
)
def test_who_wants_usage(body, wanted):
    assert wants_usage(Document.parse(body)) is wanted


def test_a_body_is_replayed_to_the_byte():
    kept = replace(ENTRIES[0], body=b'{ "choices" :\n[]}')
    reply = replay(kept, streamed=False, usage=False, headers={"age": "3"})
    assert (reply.status, reply.body) == (200, kept.body)
    assert reply.headers == (("content-type", "application/json"), ("age", "3"))
    assert replay(ENTRIES[0], streamed=True, usage=False, headers={}).headers == (
        ("content-type", "text/event-stream"),
    )
