import json
from dataclasses import replace

import pytest

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
