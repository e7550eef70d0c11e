"""The end of a message about a name that does not exist: what was probably meant, or what there is."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from typing import Final

__all__ = ["closest", "did_you_mean"]

_MOST_LISTED: Final = 16


def closest(name: str, known: Collection[str]) -> str | None:
    """Find the most similar known name, ignoring case; None when nothing is near."""
    folded = {candidate.casefold(): candidate for candidate in known}
    found = get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def did_you_mean(name: str, known: Collection[str]) -> str:
    """``" (did you mean 'math'?)"``, else ``" (known: law, math)"``, else nothing."""
    if near := closest(name, known):
        return f" (did you mean {near!r}?)"
    return f" (known: {', '.join(known)})" if 0 < len(known) <= _MOST_LISTED else ""
