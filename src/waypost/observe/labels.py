"""What metrics and spans call things that have no name."""

from __future__ import annotations

from waypost.types import Decision

__all__ = ["decision_label"]


def decision_label(decision: Decision | None) -> str:
    """Name a decision; ``none`` where no decision was made, and where none held."""
    return decision.name if decision and decision.name else "none"
