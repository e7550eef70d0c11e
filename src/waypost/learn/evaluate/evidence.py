"""What an evaluation hands on: figures to print, and the evidence they were computed from, for reports."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from waypost.learn.metrics import Floats
from waypost.learn.thresholds import Trials

__all__ = ["Evaluation", "Evidence", "Say"]

Say: TypeAlias = Callable[[str], None]
"""Takes one line about what happens now."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Per row, in the file's order. What a task does not have is empty or None."""

    labels: Sequence[str] = ()
    """What the classifier tells apart, in the order of ``probabilities``."""
    truth: Sequence[str] = ()
    guesses: Sequence[str] = ()
    """The most probable label, whatever the threshold; empty where the answer is unknown."""
    probabilities: Floats | None = None
    """[rows, labels]"""
    watched: str | None = None
    """The label whose probability meets the threshold; None when that is the most probable one."""
    trials: Trials | None = None
    seconds: Sequence[float] = ()

    @property
    def truth_index(self) -> NDArray[np.int64]:
        """The columns of the true labels."""
        place = {label: index for index, label in enumerate(self.labels)}
        return np.array([place[label] for label in self.truth], np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """The outcome. ``figures`` is JSON-serialisable and is what ``--json`` prints."""

    figures: dict[str, Any]
    evidence: Evidence = field(default_factory=Evidence)
