"""The check of answers: nothing passes that was not read with its surroundings, and what is stopped ends well."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.guard.answer import AnswerGuard
from waypost.types import Verdict

DONE = b"data: [DONE]\n\n"
BAD = Verdict("jailbreak", "block", {"harmful": 0.9}, in_answer=True)
LEAK = Verdict("pii", "block", {"PERSON": 0.9}, in_answer=True)
SEEN = Verdict("jailbreak", "log", {"harmful": 0.9}, in_answer=True)
UNREAD = Verdict("jailbreak", "block", error="?", in_answer=True)


@dataclass
class Judge:
    """Knows one word."""

    word: str = "poison"
    verdict: Verdict = BAD
    hold_back: int = 20
    at_unread: tuple[Verdict, ...] = (UNREAD,)
    read: list[str] = field(default_factory=list)

    async def judge(self, text: str) -> tuple[Verdict, ...]:
        self.read.append(text)
        return (self.verdict,) if self.word in text else ()

    def unread(self, why: str) -> tuple[Verdict, ...]:
        return self.at_unread


def event(text: str, *, index: int = 0, finish: str | None = None, key: str = "content") -> bytes:
    choice = {"index": index, "delta": {key: text}, "finish_reason": finish}
    about = {"id": "c-1", "object": "chat.completion.chunk", "created": 7, "model": "m"}
    return b"data: " + json.dumps({**about, "choices": [choice]}).encode() + b"\n\n"


def called(arguments: str) -> bytes:
    call = {"index": 0, "function": {"arguments": arguments}}
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}).encode() + b"\n\n"


async def send(guard: AnswerGuard, *pieces: bytes) -> list[bytes]:
    return [await guard.feed(piece, last=number == len(pieces)) for number, piece in enumerate(pieces, 1)]


def streamed(judge: Judge) -> AnswerGuard:
    return AnswerGuard(judge, "chat", streamed=True)


def events(stream: bytes) -> list[dict]:
    *data, done, end = stream.split(b"\n\n")
    assert (done, end) == (b"data: [DONE]", b"")
    return [json.loads(each.removeprefix(b"data: ")) for each in data if each.startswith(b"data: ")]


def said(stream: bytes) -> str:
    choices = itertools.chain.from_iterable(each["choices"] for each in events(stream))
    return "".join(choice["delta"].get("content") or "" for choice in choices)


@given(
    words=st.lists(st.text("ab ", min_size=1, max_size=30), min_size=1, max_size=12),
    cuts=st.lists(st.integers(0, 3000), max_size=10),
    hold_back=st.integers(1, 40),
)
async def test_a_clean_stream_passes_to_the_byte(words: list[str], cuts: list[int], hold_back: int) -> None:
    whole = b": hello\n\n" + b"".join(map(event, words)) + event("", finish="stop") + DONE
    edges = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    pieces = [whole[start:stop] for start, stop in itertools.pairwise(edges)]
    guard = streamed(Judge(hold_back=hold_back))
    assert b"".join(await send(guard, *pieces, b"")) == whole
    assert guard.verdicts == ()


@given(
    before=st.text("xyz ", max_size=200),
    size=st.integers(1, 9),
    hold_back=st.integers(6, 40),
)
async def test_no_part_of_what_is_bad_passes_however_it_is_cut(before: str, size: int, hold_back: int) -> None:
    text = f"{before}poison and more{'.' * 100}"
    pieces = [event(text[start : start + size]) for start in range(0, len(text), size)]
    out = b"".join(await send(streamed(Judge(hold_back=hold_back)), *pieces, DONE))
    passed, _, notice = said(out).partition("[")
    assert before.startswith(passed)
    assert notice == "The answer was stopped: it looks unsafe.]"
    assert events(out)[-1]["choices"][0]["finish_reason"] == "content_filter"
    assert {key: events(out)[-1][key] for key in ("id", "model", "created")} == {
        "id": "c-1",
        "model": "m",
        "created": 7,
    }


async def test_a_stream_flows_while_it_is_checked() -> None:
    judge = Judge(hold_back=20)
    guard = streamed(judge)
    out = await send(guard, *[event("0123456789") for _ in range(8)], event("", finish="stop"), DONE)
    # 40 characters are there before the first 20 go.
    assert [len(piece) > 0 for piece in out] == [False] * 3 + [True] * 1 + [False, True, False, True, True, True]
    assert max(map(len, judge.read)) == 60


async def test_what_says_nothing_passes_at_once() -> None:
    role = b'data: {"choices":[{"index":0,"delta":{"role":"assistant"}}]}\n\n'
    assert await send(streamed(Judge()), b": ping\n\n", role, event("hi"), DONE) == [
        b": ping\n\n",
        role,
        b"",
        event("hi") + DONE,
    ]


@pytest.mark.parametrize(
    "bad", [event("poison", key="reasoning_content"), called('{"a": "poison"}'), event("poison", index=3)]
)
async def test_reasoning_tool_calls_and_all_choices_are_read(bad: bytes) -> None:
    out = b"".join(await send(streamed(Judge()), event("fine"), bad, DONE))
    assert b"poison" not in out
    assert {choice["finish_reason"] for choice in events(out)[-1]["choices"]} == {"content_filter"}


async def test_after_the_end_nothing_passes() -> None:
    guard = streamed(Judge(hold_back=1))
    out = await send(guard, event("poison"), event("more"), DONE)
    assert out[0].endswith(DONE)
    assert out[1:] == [b"", b""]


async def test_logging_lets_all_pass_and_says_it_once() -> None:
    guard = streamed(Judge(verdict=SEEN, hold_back=1))
    whole = [event("poison"), event("poison"), DONE]
    assert b"".join(await send(guard, *whole)) == b"".join(whole)
    assert guard.verdicts == (SEEN,)


@pytest.mark.parametrize("broken", [b"data: {oops\n\n", b"data: " + b"x" * (2**20 + 1)])
async def test_an_event_that_cannot_be_read_is_for_on_error(broken: bytes) -> None:
    out = b"".join(await send(streamed(Judge()), broken, event("fine"), DONE))
    assert said(out) == "[The answer was stopped: it could not be checked.]"
    out = b"".join(await send(streamed(Judge(at_unread=())), broken, event("fine"), DONE))
    assert out == broken + event("fine") + DONE


async def test_completions_end_in_their_own_shape() -> None:
    piece = b'data: {"id":"x","choices":[{"index":0,"text":"poison"}]}\n\n'
    out = b"".join(await send(AnswerGuard(Judge(verdict=LEAK), "completions", streamed=True), piece, DONE))
    (end,) = events(out)
    assert end["object"] == "text_completion"
    assert end["choices"][0]["text"] == "[The answer was stopped: it holds personal data (PERSON).]"


def whole(text: str, **message: object) -> bytes:
    message = {"role": "assistant", "content": text, **message}
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    return json.dumps({"id": "c-1", "created": 7, "model": "m", "choices": choices, "usage": usage}).encode()


@pytest.mark.parametrize("cut", [0, 1, 40])
async def test_a_clean_whole_answer_passes_to_the_byte(cut: int) -> None:
    body = whole("All is  well")
    out = await send(AnswerGuard(Judge(), "chat", streamed=False), body[:cut], body[cut:], b"")
    assert out == [b"", b"", body]


@pytest.mark.parametrize(
    "body",
    [
        whole("poison"),
        whole("fine", reasoning_content="poison"),
        whole("", tool_calls=[{"function": {"name": "f", "arguments": '{"a": "poison"}'}}]),
    ],
)
async def test_a_bad_whole_answer_is_replaced(body: bytes) -> None:
    (out,) = await send(AnswerGuard(Judge(), "chat", streamed=False), body)
    answer = json.loads(out)
    assert answer["choices"][0]["finish_reason"] == "content_filter"
    assert answer["choices"][0]["message"]["content"] == "[The answer was stopped: it looks unsafe.]"
    assert (answer["id"], answer["model"], answer["usage"]["total_tokens"]) == ("c-1", "m", 3)
    assert b"poison" not in out


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b" " * (16 * 2**20 + 1)])
async def test_a_whole_answer_that_cannot_be_read_is_for_on_error(body: bytes) -> None:
    out = b"".join(await send(AnswerGuard(Judge(), "chat", streamed=False), body, b""))
    assert json.loads(out)["choices"][0]["finish_reason"] == "content_filter"
    out = b"".join(await send(AnswerGuard(Judge(at_unread=()), "chat", streamed=False), body, b""))
    assert out == body


async def test_an_empty_answer_stays_empty() -> None:
    assert await send(AnswerGuard(Judge(), "chat", streamed=False), b"") == [b""]
