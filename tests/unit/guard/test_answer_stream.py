"""Streams in which several texts grow: none holds the others up for long, and none is read less for it."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from waypost.guard import answer_stream as module
from waypost.guard.answer import AnswerGuard
from waypost.types import Verdict
from waypost.wire.document import Document
from waypost.wire.generated import Channel, as_choice, generated

DONE = b"data: [DONE]\n\n"
BAD = Verdict("jailbreak", "block", {"harmful": 0.9}, in_answer=True)
WORD = "poison"
REASONING: Channel = (0, "delta", "reasoning_content")
CONTENT: Channel = (0, "delta", "content")
CALLS: tuple[Channel, ...] = tuple((0, "delta", "tool_calls", index, "function", "arguments") for index in (0, 1))
ONE_CHOICE = (REASONING, CONTENT, *CALLS)
TWO_CHOICES = (*ONE_CHOICE, (1, "delta", "content"), (1, "delta", "reasoning_content"))

Turns = Sequence[tuple[Channel, int]]
"""Which text goes on, and for how many characters."""


def turns(channels: Sequence[Channel], longest: int) -> st.SearchStrategy[Turns]:
    return st.lists(st.tuples(st.sampled_from(channels), st.integers(0, longest)), max_size=60)


@dataclass
class Judge:
    """Knows one word."""

    hold_back: int = 20
    read: list[str] = field(default_factory=list)

    async def judge(self, text: str) -> tuple[Verdict, ...]:
        self.read.append(text)
        return (BAD,) if WORD in text else ()

    def unread(self, why: str) -> tuple[Verdict, ...]:
        raise AssertionError(why)


def streamed(judge: Judge) -> AnswerGuard:
    return AnswerGuard(judge, "chat", streamed=True)


def event(channel: Channel, text: str) -> bytes:
    return f"data: {json.dumps({'choices': [as_choice(channel, text)]}, ensure_ascii=False)}\n\n".encode()


def letters(stream: bytes) -> set[str]:
    return {letter for letter in stream.decode() if letter >= "\u4e00"}


def said(stream: bytes, channel: Channel) -> str:
    """Put together what one text says, without the notice that ends all of them."""
    documents = (Document.parse(each[6:]) for each in stream.split(b"\n\n") if each.startswith(b"data: {"))
    pieces = (piece for each in documents for piece in generated(each) if piece.channel == channel)
    return "".join(piece.text for piece in pieces if not piece.text.startswith("[The answer was stopped"))


async def passed(guard: AnswerGuard, events: Iterable[bytes]) -> bytes:
    return b"".join([await guard.feed(each, last=False) for each in events])


async def told(guard: AnswerGuard, turns: Turns) -> AsyncIterator[tuple[bytes, bytes]]:
    """Say letters that all differ, turn by turn; yield what was sent and what has passed so far."""
    alphabet = map(chr, itertools.count(0x4E00))
    sent = out = b""
    for channel, length in turns:
        piece = event(channel, "".join(itertools.islice(alphabet, length)))
        sent += piece
        out += await guard.feed(piece, last=False)
        yield sent, out


@given(turns=turns(TWO_CHOICES, 30), hold_back=st.integers(1, 20))
async def test_in_whatever_order_texts_grow_what_passes_was_read_and_nothing_is_lost(
    turns: Turns, hold_back: int
) -> None:
    judge = Judge(hold_back)
    guard = streamed(judge)
    sent = out = b""
    async for sent, out in told(guard, turns):
        assert sent.startswith(out)
        assert letters(out) <= set().union(*judge.read)
    assert out + await guard.feed(DONE, last=True) == sent + DONE


@given(turns=turns(ONE_CHOICE, 30), hold_back=st.integers(1, 20))
@example(turns=[(REASONING, 1), (CONTENT, 1), (REASONING, 30), (CONTENT, 30)], hold_back=2)  # goes on, pauses again
async def test_what_one_choice_holds_is_bounded(turns: Turns, hold_back: int) -> None:
    async for sent, out in told(streamed(Judge(hold_back)), turns):
        assert len(letters(sent)) - len(letters(out)) < 4 * hold_back + 30


@given(
    turns=turns(TWO_CHOICES, 8),
    which=st.sampled_from(TWO_CHOICES),
    before=st.integers(0, 40),
    hold_back=st.integers(3, 12),
)
async def test_what_is_blocked_when_said_in_one_go_is_blocked_when_other_texts_come_between(
    turns: Turns, which: Channel, before: int, hold_back: int
) -> None:
    texts = {channel: iter("." * 500) for channel in TWO_CHOICES}
    texts[which] = iter(f"{'.' * before}{WORD}{'.' * 500}")
    whole = (*turns, (which, before + len(WORD)))
    pieces = [event(channel, "".join(itertools.islice(texts[channel], length))) for channel, length in whole]
    guard = streamed(Judge(hold_back))
    out = await passed(guard, pieces)
    out += await guard.feed(DONE, last=True)
    assert WORD not in said(out, which)
    assert guard.verdicts == (BAD,)
    assert b'"content_filter"' in out


@given(before=st.integers(0, 200), size=st.integers(1, 9), bad=st.sampled_from([REASONING, CONTENT]))
async def test_no_part_of_what_is_bad_passes_where_two_texts_grow_alike(before: int, size: int, bad: Channel) -> None:
    text = f"{'.' * before}{WORD}{'.' * 100}"
    cut = [text[start : start + size] for start in range(0, len(text), size)]
    pairs = (
        [event(channel, piece if channel == bad else "-" * size) for channel in (REASONING, CONTENT)] for piece in cut
    )
    out = await passed(guard := streamed(Judge(hold_back=20)), itertools.chain.from_iterable(pairs))
    assert guard.verdicts == (BAD,)
    assert ("." * before).startswith(said(out, bad))


@pytest.mark.parametrize(
    ("first", "then"), [(REASONING, CONTENT), (CONTENT, CALLS[0]), (CALLS[0], CALLS[1]), (CONTENT, REASONING)]
)
async def test_a_text_that_ends_holds_up_the_next_no_longer_than_it_waits_itself(first: Channel, then: Channel) -> None:
    guard = streamed(Judge(hold_back=20))
    ended = await passed(guard, [event(first, "word ")] * 50)
    assert len(said(ended, first)) == 220
    assert await passed(guard, [event(then, "word ")] * 3) == b""
    assert await guard.feed(event(then, "word "), last=False) == event(first, "word ") * 6
    flowing = await passed(guard, [event(then, "word ")] * 96)
    assert len(said(flowing, then)) == 480


async def test_texts_that_take_turns_are_not_read_at_every_turn() -> None:
    judge = Judge(hold_back=20)
    await passed(streamed(judge), [event(REASONING, "a"), event(CONTENT, "b")] * 200)
    assert len(judge.read) <= 2 * 200 / 20 + 2


async def test_a_text_that_is_only_mentioned_does_not_go_on() -> None:
    judge = Judge(hold_back=20)
    whole = b'data: {"choices":[{"index":0,"delta":{"content":"","reasoning_content":"word "}}]}\n\n'
    out = await passed(streamed(judge), [whole] * 50)
    assert len(said(out, REASONING)) == 220
    assert len(judge.read) == 11


async def test_choices_do_not_count_for_each_other() -> None:
    guard = streamed(Judge(hold_back=20))
    out = await passed(guard, [event(CONTENT, "poi"), *[event((1, "delta", "content"), "word ")] * 50])
    assert out == b""
    assert b'"son"' not in await guard.feed(event(CONTENT, "son"), last=True)
    assert guard.verdicts == (BAD,)


@pytest.mark.parametrize("then", [event((1, "delta", "content"), "word "), b": still here\n\n"])
async def test_what_waits_for_a_choice_that_stands_still_is_bounded(
    monkeypatch: pytest.MonkeyPatch, then: bytes
) -> None:
    monkeypatch.setattr(module, "_MAX_HELD", 50_000)
    guard = streamed(Judge(hold_back=400))
    pieces = [event(CONTENT, "poi"), *[then] * 1000]
    out = await passed(guard, pieces)
    assert b"".join(pieces).startswith(out)
    assert len(pieces) - out.count(b"\n\n") < 50_000 / 400
    assert b'"son"' not in await guard.feed(event(CONTENT, "son"), last=True)
    assert guard.verdicts == (BAD,)
