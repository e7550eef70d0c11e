"""One labelled text."""

from __future__ import annotations

from dataclasses import dataclass

from waypost.learn.bio import Span

__all__ = ["Row"]


@dataclass(frozen=True, slots=True)
class Row:
    """One text with the labels that are known."""

    text: str
    source: str
    domain: str | None = None
    attack: str | None = None
    indirect: bool | None = None
    spans: tuple[Span, ...] | None = None
    """Personal data; empty when there is none, None when nobody looked."""
    weight: float = 1.0
    """In every loss."""
    rate: float = 1.0
    """Chance to be drawn in an epoch."""
