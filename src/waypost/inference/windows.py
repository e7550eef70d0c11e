"""Long texts as overlapping windows.

Attention costs the square of a sequence's length, so several short windows are cheaper than one long one; they
overlap so that every phrase is seen whole at least once.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["WindowPlan", "plan_windows"]


@dataclass(frozen=True, slots=True)
class WindowPlan:
    """Which tokens are read together. Windows are ranges of token positions, in order."""

    windows: tuple[range, ...]
    skipped: int
    """Tokens at the end that no window covers, because of the cap."""


def plan_windows(tokens: int, *, size: int, overlap: int, cap: int) -> WindowPlan:
    """Cover ``tokens`` tokens with at most ``cap`` windows of ``size`` tokens that share ``overlap`` tokens.

    There is always at least one window, if an empty one. Needs ``0 <= overlap < size`` and ``cap >= 1``.
    """
    stride = size - overlap
    count = 1 + max(0, -(-(tokens - size) // stride))
    starts = range(0, min(count, cap) * stride, stride)
    windows = tuple(range(start, min(start + size, tokens)) for start in starts)
    return WindowPlan(windows, tokens - windows[-1].stop)
