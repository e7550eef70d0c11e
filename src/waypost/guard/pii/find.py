"""All personal data of a text: what the recognisers see, what the classifier sees, and what both see together."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import takewhile

from waypost.guard.pii.finding import Finding
from waypost.guard.pii.merge import merge
from waypost.guard.pii.recognise import recognise
from waypost.guard.pii.spans import TypedSpan, tidy

__all__ = ["find"]


def find(
    text: str, spans: Iterable[TypedSpan], threshold: float = 0.5, thresholds: Mapping[str, float] | None = None
) -> tuple[Finding, ...]:
    """Find personal data in ``text``, given the classifier's spans of it; in order, without overlap.

    A finding must reach its type's threshold, or ``threshold`` where ``thresholds`` has none; both are in [0, 1].
    Give all the spans that the classifier has, doubtful ones too: they confirm what a recogniser doubts.
    """
    limits = thresholds or {}
    found = _confirm(recognise(text, at_least=0.0), tidy(text, spans))
    return merge(finding for finding in found if finding.score >= limits.get(finding.type, threshold))


def _confirm(recognised: Sequence[Finding], modelled: Sequence[Finding]) -> list[Finding]:
    """Where both see the same type the recogniser's borders count, and either may be right: 1 - (1 - p)(1 - q)."""
    found = []
    confirmed: set[Finding] = set()
    ends = [other.end for other in modelled]
    for finding in recognised:
        after = range(bisect_right(ends, finding.start), len(modelled))
        near = takewhile(finding.overlaps, map(modelled.__getitem__, after))
        witnesses = [other for other in near if other.type == finding.type]
        doubt = min((1 - other.score for other in witnesses), default=1.0)
        found.append(replace(finding, score=1 - (1 - finding.score) * doubt))
        confirmed.update(witnesses)
    return found + [finding for finding in modelled if finding not in confirmed]
