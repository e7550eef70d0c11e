"""Reading every message of a request, whatever its role: an attack or an address may stand in any of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Literal

from waypost.errors import DeadlineExceeded
from waypost.inference.encoder import Encoder, Encoding
from waypost.inference.reading import ATTACK
from waypost.signals.views import Subject, ViewKind, ViewPlan, plan_views
from waypost.types import Request

__all__ = ["Conversation", "ConversationReader", "Passage"]

_CHARACTERS_PER_TOKEN: Final = 4
"""For what was not even tokenized."""
_DOUBT: Final = 0.5
"""A message is doubtful from this share of the threshold on; harmless ones mostly stay below it."""
_INLINE: Final = 4096
"""Characters up to which looking for views takes no longer than handing the work to a thread."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A text that was read: a message, or another view of what messages say."""

    message: int
    """Place in ``Request.messages``; of the newest of them for a view of several."""
    role: str
    text: str
    encoding: Encoding
    """Its spans are places in ``text``."""
    view: ViewKind | Literal["message"] = "message"


@dataclass(frozen=True, slots=True)
class Conversation:
    """What the encoder made of the messages that were read."""

    passages: tuple[Passage, ...]
    """The newest message first, then the views. Messages of the same text share an encoding."""
    skipped_tokens: int
    """Left out by the work caps, within messages and in whole ones; an estimate for what was not tokenized."""


class ConversationReader:
    """Reads messages from the newest to the oldest, one at a time, up to a number of windows in all."""

    def __init__(self, encoder: Encoder, *, deadline: float, max_windows: int) -> None:
        """``deadline``: seconds for the whole conversation. ``max_windows``: for messages; half as many for views."""
        self._encoder = encoder
        self._deadline = deadline
        self._max_windows = max_windows

    async def read(self, request: Request) -> Conversation:
        """Read the messages as they stand. Raises InferenceError."""
        async with self._in_time():
            run = _Run(self._encoder)
            await run.messages(request, self._max_windows)
            return run.result()

    async def scan(self, request: Request, threshold: float, *, stop_early: bool) -> Conversation:
        """Read the messages, then the views in which an attack may show. Raises InferenceError.

        A text is an attack from a probability of ``threshold`` on. ``stop_early``: read no further after one.
        """
        async with self._in_time():
            run = _Run(self._encoder, threshold if stop_early else None)
            await run.messages(request, self._max_windows)
            if not run.stopped:
                plan = await _plan([*run.subjects(request, threshold)])
                await run.views(plan, max(1, self._max_windows // 2))
            return run.result()

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._deadline):
                yield
        except TimeoutError as error:
            raise DeadlineExceeded(f"the conversation was not read within {self._deadline:g} s") from error


@dataclass(slots=True)
class _Run:
    """One reading under way."""

    encoder: Encoder
    until: float | None = None
    """Stop after a text with an attack of this probability."""
    stopped: bool = False
    passages: list[Passage] = field(default_factory=list)
    encodings: dict[str, Encoding] = field(default_factory=dict)
    skipped_tokens: int = 0

    def result(self) -> Conversation:
        return Conversation(tuple(self.passages), 0 if self.stopped else self.skipped_tokens)

    async def messages(self, request: Request, max_windows: int) -> None:
        unread: set[str] = set()
        windows = 0
        for index, role, text in _spoken(request):
            if text not in self.encodings:
                if windows >= max_windows:
                    unread.add(text)
                    continue
                windows += (await self._encode(text)).windows
            self.passages.append(Passage(index, role, text, self.encodings[text]))
            if self.stopped:
                return
        self.skipped_tokens += sum(map(_estimate, unread))

    async def views(self, plan: ViewPlan, max_windows: int) -> None:
        self.skipped_tokens += plan.skipped_characters // _CHARACTERS_PER_TOKEN
        windows = 0
        for view in plan.views:
            if windows < max_windows:
                windows += (await self._encode(view.text)).windows
                self.passages.append(Passage(view.message, view.role, view.text, self.encodings[view.text], view.kind))
            elif view.kind != "segment":  # the text around a segment was read, or is counted already
                self.skipped_tokens += _estimate(view.text)
            if self.stopped:
                return

    def subjects(self, request: Request, threshold: float) -> Iterator[Subject]:
        """Yield the messages that are no proven attack, the newest first."""
        for index, role, text in _spoken(request):
            encoding = self.encodings.get(text)
            probability = _attack(encoding) if encoding else 0.0
            if probability < threshold:
                yield Subject(index, role, text, encoding is not None, probability >= _DOUBT * threshold)

    async def _encode(self, text: str) -> Encoding:
        encoding = self.encodings[text] = await self.encoder.encode(text, until=self.until)
        self.skipped_tokens += encoding.skipped_tokens
        self.stopped = self.until is not None and _attack(encoding) >= self.until
        return encoding


async def _plan(subjects: Sequence[Subject]) -> ViewPlan:
    if sum(len(subject.text) for subject in subjects) <= _INLINE:
        return plan_views(subjects)
    return await asyncio.to_thread(plan_views, subjects)


def _spoken(request: Request) -> Iterator[tuple[int, str, str]]:
    for index in range(len(request.messages) - 1, -1, -1):
        message = request.messages[index]
        if message.text and not message.text.isspace():
            yield index, message.role, message.text


def _attack(encoding: Encoding) -> float:
    return encoding.probabilities[ATTACK][ATTACK]


def _estimate(text: str) -> int:
    return -(-len(text) // _CHARACTERS_PER_TOKEN)
