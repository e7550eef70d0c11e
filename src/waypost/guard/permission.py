"""Which personal data a model may see."""

from __future__ import annotations

from waypost.config.naming import listed
from waypost.config.pool import Model
from waypost.types import Verdict

__all__ = ["masked_types", "may_see"]


def may_see(model: Model, verdict: Verdict) -> bool:
    """Whether a model may see what was found; when the guard could not tell, that may be anything."""
    if model.pii is None:
        return True
    return bool(verdict.found) and verdict.found.keys() <= set(listed(model.pii.allow))


def masked_types(model: Model, verdict: Verdict) -> frozenset[str]:
    """Return the types of what was found that are masked for a model: all but those that it is expressly allowed."""
    return frozenset(verdict.found).difference(listed(model.pii.allow) if model.pii else ())
