"""Whether a stored question is the one that is asked now. Serving, evaluation and calibration all ask here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from waypost.cache.checks import Refusal, refusal
from waypost.cache.checks.timely import timely
from waypost.cache.reading import Reading, read
from waypost.cache.similarity import Similarity

__all__ = ["Match", "Unasked", "match", "readable"]

_LONGEST: Final = 4_000
"""Characters. In a longer question one word of thousands may change the answer: only an identical one is served."""

Unasked: TypeAlias = Literal["no_question", "too_long", "timely"]
"""Why a question is compared with none."""


@dataclass(frozen=True, slots=True)
class Match:
    """What a comparison found."""

    similarity: float
    """In [0, 1]."""
    refusal: Refusal | Unasked | Literal["dissimilar"] | None
    """Why the answer to one is not served to the other; None when it is."""


def match(a: Reading, b: Reading, cosine: float, similarity: Similarity, threshold: float) -> Match:
    """Compare two questions whose embeddings have this cosine. The checks are for what is similar enough."""
    found = similarity(a, b, cosine)
    return Match(found, refusal(a, b) if found >= threshold else "dissimilar")


def readable(question: str) -> Reading | Unasked:
    """Read a question, or tell why it must not be compared with others."""
    reading = read(_ends(question))
    if timely(reading, reading):
        return "timely"
    if len(question) > _LONGEST:
        return "too_long"
    return reading if reading.subject else "no_question"


def _ends(question: str) -> str:
    """Leave out the middle of a long question: it is the ends that say what is asked."""
    half = _LONGEST // 2
    return question if len(question) <= _LONGEST else f"{question[:half]} {question[-half:]}"
