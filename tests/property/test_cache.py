"""Laws of the cache: what does not matter changes no digest, checks are symmetric, replay loses nothing."""

import json

from hypothesis import given
from hypothesis import strategies as st

from waypost.cache.capture import Capture
from waypost.cache.checks import CHECKS
from waypost.cache.entry import Entry
from waypost.cache.key import ask
from waypost.cache.reading import read
from waypost.cache.replay import stream
from waypost.wire.document import Document

WORDS = "how do i not convert 3 5 km miles from to Paris London Python today 'x' 不 北 京 到 上 海 什 么 时 候"
TEXT = st.text(max_size=80) | st.lists(st.sampled_from(WORDS.split()), max_size=12).map(" ".join)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=8,
)
FIELDS = st.dictionaries(st.sampled_from(["tools", "stop", "seed", "x", "temperature"]), JSON, max_size=4)
CALLS = st.lists(
    st.fixed_dictionaries({"id": st.text(min_size=1), "type": st.just("function"), "function": st.fixed_dictionaries(
        {"name": st.text(min_size=1), "arguments": st.text(max_size=60)})}),
    min_size=1, max_size=3,
)  # fmt: skip
MESSAGE = st.fixed_dictionaries(
    {"role": st.just("assistant"), "content": st.none() | st.text(max_size=200)},
    optional={"reasoning_content": st.text(min_size=1, max_size=99), "tool_calls": CALLS},
)


def key(body, **context):
    return ask(Document.parse(body.encode()), "chat", **({"owner": "", "policy": ""} | context))


def shuffled(value):
    if isinstance(value, dict):
        return {name: shuffled(value[name]) for name in reversed(value)}
    return [shuffled(one) for one in value] if isinstance(value, list) else value


@given(FIELDS, st.text(max_size=20))
def test_order_and_space_change_no_digest(fields, text):
    body = {"messages": [{"role": "user", "content": text}]} | fields
    assert key(json.dumps(body)) == key(json.dumps(shuffled(body), indent=2))


@given(FIELDS, FIELDS)
def test_equal_digests_mean_equal_bodies(one, other):
    a, b = (key(json.dumps({"messages": []} | fields)) for fields in (one, other))
    assert (a.exact == b.exact) == (_typed(one) == _typed(other))


def _typed(value):
    """Python takes True for 1; JSON does not."""
    if isinstance(value, dict):
        return {name: _typed(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_typed(one) for one in value]
    return (isinstance(value, bool), value)


@given(TEXT, TEXT)
def test_checks_are_symmetric(a, b):
    left, right = read(a), read(b)
    for check in CHECKS.values():
        assert check(left, right) == check(right, left)


@given(TEXT)
def test_nothing_but_time_tells_a_question_from_itself(text):
    reading = read(text)
    assert not any(check(reading, reading) for name, check in CHECKS.items() if name != "timely")


@given(st.lists(MESSAGE, min_size=1, max_size=3), st.integers(1, 64))
def test_replay_and_capture_undo_each_other(messages, size):
    choices = [
        {"index": n, "message": message, "logprobs": None, "finish_reason": "stop"}
        for n, message in enumerate(messages)
    ]
    body = {"id": "1", "object": "chat.completion", "choices": choices}
    data = b"".join(stream(Entry("", "", "", json.dumps(body).encode(), "chat", 0, 1, "", "", ""), usage=False))
    capture = Capture(200, {"content-type": "text/event-stream"}, max_bytes=2**20)
    for start in range(0, len(data), size):
        capture.feed(data[start : start + size])
    assert json.loads(capture.finish()) == body
