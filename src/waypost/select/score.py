"""The model with the highest score wins."""

from __future__ import annotations

from collections.abc import Sequence

from waypost.config.schema import ModelChoice
from waypost.types import Selection

__all__ = ["ScoreSelector"]


class ScoreSelector:
    """Takes the highest configured score, among equals the first."""

    def select(self, choices: Sequence[ModelChoice]) -> Selection:
        """Choose one; ``choices`` is not empty."""
        best = max(choices, key=lambda choice: choice.score)
        reason = f"best score of {len(choices)} models" if len(choices) > 1 else "the only model"
        return Selection(best.model, best.score, reason, best.reasoning, best.effort)
