"""What a model-selection algorithm is. To add one: a file here, a test, a line in the docs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from waypost.config.schema import ModelChoice
from waypost.types import Selection

__all__ = ["Selector"]


class Selector(Protocol):
    """Chooses one of a decision's models."""

    def select(self, choices: Sequence[ModelChoice]) -> Selection:
        """Choose one; ``choices`` is not empty."""
        ...
