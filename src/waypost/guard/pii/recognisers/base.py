"""What a recogniser is, how sure it may be, and how it looks around itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final, Protocol

from waypost.guard.pii.finding import Finding

__all__ = [
    "CUED",
    "LIKELY",
    "PLAUSIBLE",
    "PROVEN",
    "WEAK",
    "Recogniser",
    "before",
    "cues",
    "last_cue",
    "leftmost",
    "lowered",
]

PROVEN: Final = 1.0
"""A checksum holds, or nothing else has this form."""
CUED: Final = 0.9
"""A distinct form, and a word before it that says so."""
LIKELY: Final = 0.75
"""A form that other things seldom have."""
PLAUSIBLE: Final = 0.6
"""More likely than not."""
WEAK: Final = 0.35
"""Possible, and reported only when the classifier agrees."""

_WINDOW: Final = 48
_NEW_CLAUSE = re.compile(r"[;|\n!?。；！？]|\.[\s.]|[0-9]{4}")
_LETTER = re.compile(r"[^\W\d_]")


class Recogniser(Protocol):
    """Finds personal data by its form.

    Time is linear in the text, whatever the text: quantifiers are bounded. It is short for most texts: patterns begin
    with one character or class, which ``re`` looks for quickly, and look behind only after it.
    Han characters count as borders: there are no spaces in 手机号13812345678.
    """

    @property
    def name(self) -> str:
        """Lower case, unique."""
        ...

    @property
    def types(self) -> frozenset[str]:
        """All that it may find."""
        ...

    def find(self, text: str) -> Iterator[Finding]:
        """Find from left to right; findings of one recogniser do not overlap."""
        ...


def leftmost(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield them from left to right; of two that overlap the one that begins first, the longer of equals."""
    end = 0
    for finding in sorted(findings, key=lambda finding: (finding.start, -finding.end)):
        if finding.start >= end:
            yield finding
            end = finding.end


def cues(latin: str, han: str = "") -> re.Pattern[str]:
    """Compile words that say what a number is: ``latin`` as whole words in any case, ``han`` anywhere."""
    words = rf"(?<![A-Za-z])(?:{latin})(?![A-Za-z])"
    return re.compile(f"{words}|{han}" if han else words, re.IGNORECASE)


def lowered(text: str) -> str:
    """Lower the text if every character keeps its place; İ grows when lowered, and leaves the text as it is."""
    lower = text.lower()
    return lower if len(lower) == len(text) else text


def before(text: str, start: int, words: re.Pattern[str], window: int = _WINDOW) -> bool:
    """Whether one of the words stands in the ``window`` characters before ``start``."""
    return words.search(text, max(0, start - window), start) is not None


def last_cue(text: str, start: int, words: re.Pattern[str], window: int = _WINDOW) -> str:
    """Return the name of the group that matched last before ``start``; empty when there is none.

    A group whose name begins with n says what a number is *not*: it counts within its clause, for one number.
    """
    name, end = "", 0
    if not _LETTER.search(text, max(0, start - window), start):
        return name
    for match in words.finditer(text, max(0, start - window), start):
        name, end = match.lastgroup or "", match.end()
    return "" if name.startswith("n") and _NEW_CLAUSE.search(text, end, start) else name
