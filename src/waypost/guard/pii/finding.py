"""One piece of personal data in a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["CLASSIFIER", "Finding"]

CLASSIFIER: Final = "classifier"
"""The ``recogniser`` of what the token classifier found."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The piece ``text[start:end]`` and what it is."""

    start: int
    """In characters of the original text."""
    end: int
    """Exclusive."""
    type: str
    """One of :data:`waypost.guard.pii.types.PII_TYPES`."""
    score: float
    """How sure it is, in [0, 1]; 1.0 where a checksum or a form that nothing else has proves it."""
    recogniser: str
    """The name of the recogniser, or :data:`CLASSIFIER`."""

    def overlaps(self, other: Finding) -> bool:
        """Whether both have a character in common."""
        return self.start < other.end and other.start < self.end
