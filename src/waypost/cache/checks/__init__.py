"""What a cached question must not differ in, however similar its embedding is. One check a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Literal, TypeAlias

from waypost.cache.checks.aspect import aspect
from waypost.cache.checks.form import form
from waypost.cache.checks.names import names
from waypost.cache.checks.negation import negation
from waypost.cache.checks.numbers import numbers
from waypost.cache.checks.opposites import opposites
from waypost.cache.checks.order import order
from waypost.cache.checks.quoted import quoted
from waypost.cache.checks.signs import signs
from waypost.cache.checks.timely import timely
from waypost.cache.checks.wording import wording
from waypost.cache.reading import Reading

__all__ = ["CHECKS", "Check", "Refusal", "refusal"]

Refusal: TypeAlias = Literal[
    "timely", "numbers", "quoted", "signs", "negation", "opposites", "wording", "names", "form", "aspect", "order"
]
"""Why a similar question is not the same one."""

Check: TypeAlias = Callable[[Reading, Reading], bool]
"""True when the two questions differ. Symmetric; some ten microseconds for a sentence."""

CHECKS: Final[Mapping[Refusal, Check]] = {
    "timely": timely,
    "numbers": numbers,
    "quoted": quoted,
    "signs": signs,
    "negation": negation,
    "opposites": opposites,
    "wording": wording,
    "names": names,
    "form": form,
    "aspect": aspect,
    "order": order,
}
"""The clearest reasons first: it is the first that is counted."""


def refusal(a: Reading, b: Reading) -> Refusal | None:
    """Name the first check that tells the questions apart; None when the answer to one may serve the other."""
    return next((name for name, differ in CHECKS.items() if differ(a, b)), None)
