"""Personal data by its form alone: no model, microseconds for a message."""

from __future__ import annotations

from collections.abc import Collection

from waypost.guard.pii.finding import Finding
from waypost.guard.pii.recognisers import RECOGNISERS

__all__ = ["recognise"]


def recognise(text: str, types: Collection[str] | None = None, *, at_least: float = 0.5) -> list[Finding]:
    """Run every recogniser that may find one of ``types`` (all when None), in order of the text.

    Findings of different recognisers may overlap. Those that score below ``at_least`` are no more than hints for
    :func:`waypost.guard.pii.find.find`, which asks the classifier about them.
    """
    wanted = None if types is None else frozenset(types)
    found = [
        finding
        for recogniser in RECOGNISERS
        if wanted is None or not wanted.isdisjoint(recogniser.types)
        for finding in recogniser.find(text)
        if finding.score >= at_least and (wanted is None or finding.type in wanted)
    ]
    return sorted(found, key=lambda finding: (finding.start, finding.end, finding.type))
