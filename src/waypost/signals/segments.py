"""The few sentences of a long text that are worth a look of their own.

A window of some 120 tokens is judged as a whole, so harmless sentences around a short attack make it look harmless.
Words that attacks need choose cheaply which sentences are read once more without their neighbours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Final, NamedTuple

from waypost.signals.suspicion import suspicion

__all__ = ["Segment", "segments", "suspicious"]

_LONGEST: Final = 240
"""Characters of a sentence; a longer one is cut at a space."""
_ENOUGH: Final = 2
_SHORTEST: Final = 60
"""A text no longer than this is its own segment."""
_END: Final = ".!?。！？…؟।"
_INNER: Final = rf"(?:[^\n{_END}]|[.!?](?!\s|$))"
_SENTENCE: Final = re.compile(rf"[^\s{_END}](?:{_INNER}{{0,239}}(?=[\s{_END}]|\Z)|{_INNER}{{239}})[{_END}]*")


class Segment(NamedTuple):
    """Neighbouring sentences, and how many words of attacks they hold; strong ones count twice."""

    suspicion: int
    text: str


def suspicious(text: str) -> list[Segment]:
    """Find the runs of sentences that may be an attack, and of each the sentence that looks most like one.

    Empty for a text that is a single run itself: whoever read the text read that already.
    """
    if len(text) <= _SHORTEST:
        return []
    found = []
    rated = [(suspicion(sentence), sentence) for sentence in _sentences(text)]
    for marked, run in groupby(rated, key=lambda pair: pair[0] > 0):
        if marked:
            sentences = list(run)
            found += _packed(iter(sentences))
            if len(sentences) > 1:  # one word of an attack is enough to be in the run, and to hide the attack itself
                found.append(Segment(*max(sentences)))
    return [
        segment for segment in found if segment.suspicion >= _ENOUGH and len(segment.text) < 0.9 * len(text.strip())
    ]


def segments(text: str) -> list[Segment]:
    """Pack all sentences into short pieces, for a text that is doubtful as a whole."""
    return _packed((suspicion(sentence), sentence) for sentence in _sentences(text))


def _sentences(text: str) -> Iterator[str]:
    return (match[0] for match in _SENTENCE.finditer(text))


def _packed(rated: Iterator[tuple[int, str]]) -> list[Segment]:
    packed: list[Segment] = []
    for rating, sentence in rated:
        if packed and len(packed[-1].text) + len(sentence) < _LONGEST:
            packed[-1] = Segment(packed[-1].suspicion + rating, f"{packed[-1].text} {sentence}")
        else:
            packed.append(Segment(rating, sentence))
    return packed
