"""One step that settles what overlaps."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from waypost.guard.pii.finding import CLASSIFIER, Finding
from waypost.guard.pii.recognisers.base import PROVEN
from waypost.guard.pii.types import FORMAL_TYPES

__all__ = ["merge"]


def merge(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Choose between findings that overlap; what is returned is in order and never overlaps.

    1. What is proven (a checksum holds) beats all else.
    2. Where the classifier names a type that has a form, a recogniser's word counts more.
    3. Then the longer wins, then the surer, then the recogniser, then the type that comes first in the alphabet.

    Of a span of prose (an address, a name) that loses less than half of itself the largest piece left is kept.
    """
    kept: list[Finding] = []
    for finding in sorted(set(findings), key=_rank):
        first = bisect_right(kept, finding.start, key=lambda winner: winner.end)
        last = bisect_left(kept, finding.end, key=lambda winner: winner.start)
        for piece in _what_is_left(finding, kept[first:last]):
            insort(kept, piece, key=lambda winner: winner.start)
    return tuple(kept)


def _rank(finding: Finding) -> tuple[bool, bool, int, float, bool, int, str, str]:
    modelled = finding.recogniser == CLASSIFIER
    return (
        modelled or finding.score < PROVEN,
        modelled and finding.type in FORMAL_TYPES,
        finding.start - finding.end,
        -finding.score,
        modelled,
        finding.start,
        finding.type,
        finding.recogniser,
    )


def _what_is_left(finding: Finding, winners: Sequence[Finding]) -> Iterator[Finding]:
    if not winners:
        yield finding
    elif finding.recogniser == CLASSIFIER and finding.type not in FORMAL_TYPES:
        start, end = max(_gaps(finding, winners), key=lambda gap: gap[1] - gap[0])
        if 2 * (end - start) > finding.end - finding.start:
            yield replace(finding, start=start, end=end)


def _gaps(finding: Finding, winners: Sequence[Finding]) -> Iterator[tuple[int, int]]:
    at = finding.start
    for winner in winners:
        yield at, max(at, winner.start)
        at = max(at, winner.end)
    yield at, max(at, finding.end)
