"""Other views of what messages say, in which an attack shows that its disguise or its surroundings hide."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from waypost.guard.normalise import LIMIT, normalise
from waypost.signals.segments import segments, suspicious
from waypost.signals.suspicion import suspicion

__all__ = ["DOCUMENTS", "Subject", "View", "ViewKind", "ViewPlan", "plan_views"]

DOCUMENTS: Final = ("tool", "function")
"""Roles whose messages nobody in the conversation wrote: whatever gives orders there was planted."""

ViewKind = Literal["reading", "join", "segment"]

_SCANNED: Final = 524_288
"""Characters of all messages, the newest first, that are searched for suspicious sentences."""
_UNDISGUISED: Final = 2 * LIMIT
"""Characters of all messages that are searched for disguises."""
_JOINED: Final = 4
_JOINED_CHARACTERS: Final = 400
"""About a window."""
_PER_MESSAGE: Final = 16
"""Segments of one doubtful message."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A message as far as it is known."""

    message: int
    role: str
    text: str
    read: bool
    """False for what the work cap left out; only its suspicious sentences are looked at."""
    doubtful: bool = False
    """Not an attack as a whole, but not clearly harmless."""


@dataclass(frozen=True, slots=True)
class View:
    """A text to read beside the messages. ``message`` and ``role`` are those of the message it comes from."""

    kind: ViewKind
    message: int
    role: str
    text: str
    suspicion: int = 0


@dataclass(frozen=True, slots=True)
class ViewPlan:
    """What to read, the most promising first, each text once."""

    views: tuple[View, ...]
    skipped_characters: int
    """Of messages that were read: characters that were not searched for disguises."""


def plan_views(subjects: Sequence[Subject]) -> ViewPlan:
    """Find the views of messages, which are given the newest first. None for harmless plain short texts."""
    searched = [*_within(subjects, _SCANNED)]
    read = [subject for subject in subjects if subject.read]
    undisguised = [*_within(read, _UNDISGUISED)]
    skipped = sum(len(subject.text) for subject in read[len(undisguised) :])
    whole = [*_joins(searched)]
    for subject in undisguised:
        found = normalise(subject.text)
        skipped += found.skipped_characters
        whole += (View("reading", subject.message, subject.role, reading) for reading in found.readings)
    parts = sorted(_parts(searched, whole), key=lambda view: -view.suspicion)
    known = {subject.text for subject in read}
    views: dict[str, View] = {}
    for view in (*whole, *parts):
        if view.text not in known:
            views.setdefault(view.text, view)
    return ViewPlan(tuple(views.values()), skipped)


def _within(subjects: Iterable[Subject], characters: int) -> Iterator[Subject]:
    """Yield subjects until there are so many characters; the last one may exceed."""
    for subject in subjects:
        if characters <= 0:
            return
        yield subject
        characters -= len(subject.text)


def _joins(subjects: Sequence[Subject]) -> Iterator[View]:
    """Join the last short messages of the same side: an attack may come in instalments."""
    for roles in (("user",), DOCUMENTS):
        newest = [subject for subject in subjects if subject.role in roles][:_JOINED]
        while sum(len(subject.text) for subject in newest) > _JOINED_CHARACTERS:
            newest.pop()
        text = " ".join(subject.text for subject in reversed(newest))
        if len(newest) > 1 and (suspicion(text) or any(subject.doubtful for subject in newest)):
            yield View("join", newest[0].message, newest[0].role, text)


def _parts(subjects: Iterable[Subject], whole: Iterable[View]) -> Iterator[View]:
    for subject in subjects:
        found = suspicious(subject.text[:_SCANNED])
        if subject.doubtful:
            found += sorted(segments(subject.text), reverse=True)[:_PER_MESSAGE]
        for segment in found:
            yield View("segment", subject.message, subject.role, segment.text, segment.suspicion)
    for view in whole:
        for segment in suspicious(view.text):
            yield View("segment", view.message, view.role, segment.text, segment.suspicion)
