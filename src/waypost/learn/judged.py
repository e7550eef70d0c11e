"""What any thresholds would make of findings that were found once, from the lowest threshold on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from waypost.learn.bio import Span
from waypost.learn.metrics import Floats

__all__ = ["BASE", "GRID", "Found", "Judged"]

BASE: Final = 0.5
"""The threshold of a type that has none of its own."""
GRID: Final = (0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99)
"""Below the first a recogniser's hints would count; above the last only proven forms are left."""


@dataclass(frozen=True, slots=True)
class Found:
    """A finding in a row of personal data, ``right`` when its borders and type are; or one in a plain text."""

    row: int
    type: str
    score: float
    right: bool = False


class Judged:
    """Findings in texts with personal data, and in plain texts, where each is a false alarm.

    Thresholds are by type; :data:`BASE` for those that are not named. A finding that a threshold removes does not
    bring back one that it won against, so figures are near to what the guard would do, not equal to it.
    """

    def __init__(
        self, personal: Sequence[Found], plain: Sequence[Found], truth: Sequence[Iterable[Span]], plain_texts: int
    ) -> None:
        """``truth``: the true spans of each row of personal data; ``plain_texts``: how many there are."""
        self._personal, self._plain, self._truth, self._texts = personal, plain, truth, plain_texts
        self._wanted = Counter(kind for spans in truth for _, _, kind in spans)
        self._scores = {kind: _scores(personal, kind) for kind in self.types}

    @property
    def types(self) -> list[str]:
        """Every type that was found or should have been."""
        return sorted({*self._wanted, *(one.type for one in (*self._personal, *self._plain))})

    def wanted(self, kind: str) -> int:
        """Count the true spans of a type."""
        return self._wanted[kind]

    def f1(self, thresholds: Mapping[str, float], types: Iterable[str] | None = None) -> float:
        """Strict F1 over the spans of ``types``; when None, of all that have true spans. 0 without any span."""
        hits = total = 0
        for kind in self._wanted if types is None else types:
            limit = thresholds.get(kind, BASE)
            right, all_ = (int((scores >= limit).sum()) for scores in self._scores[kind])
            hits, total = hits + right, total + all_ + self._wanted[kind]
        return 2 * hits / total if total else 0.0

    def alarms(self, thresholds: Mapping[str, float]) -> list[set[str]]:
        """Return the types that are found in each plain text in which any is."""
        found: dict[int, set[str]] = defaultdict(set)
        for one in self._plain:
            if one.score >= thresholds.get(one.type, BASE):
                found[one.row].add(one.type)
        return [*found.values()]

    def share(self, thresholds: Mapping[str, float]) -> float:
        """Share of the plain texts in which anything is found."""
        return len(self.alarms(thresholds)) / self._texts if self._texts else 0.0

    def half(self, odd: bool) -> Judged:
        """Return every second row and plain text."""
        personal, plain = ([one for one in of if one.row % 2 == odd] for of in (self._personal, self._plain))
        truth = [spans if row % 2 == odd else () for row, spans in enumerate(self._truth)]
        return Judged(personal, plain, truth, len(range(int(odd), self._texts, 2)))


def _scores(found: Iterable[Found], kind: str) -> tuple[Floats, Floats]:
    """Return the scores of what is right, and of all."""
    own = [one for one in found if one.type == kind]
    return np.array([one.score for one in own if one.right]), np.array([one.score for one in own])
