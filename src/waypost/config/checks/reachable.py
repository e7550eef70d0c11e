"""Decisions that can never win, because an earlier one holds whenever they do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from waypost.config.checks.guards import taken_over_by
from waypost.config.checks.subject import SIGNALS, Finding, Subject, leaves
from waypost.config.schema import Rule

__all__ = ["decisions_can_win"]


@dataclass(frozen=True, slots=True)
class _Form:
    """A rule in normal form: all, any or not of other forms, or a kind of signal with one name."""

    key: str
    inside: frozenset[_Form] = frozenset()
    name: str = ""


_ALWAYS: Final = _Form("all")
_EMPTY: Final = _Form("any")
"""A rule without entries. Another check reports it; here it neither covers anything nor is covered."""


def decisions_can_win(subject: Subject) -> Iterator[Finding]:
    """Refuse a decision that holds only where one before it does: by priority, equals in the order of the file.

    One that a guard routes to wins in that way, whatever its own rule.
    """
    targets = {name for _, name in taken_over_by(subject)}
    decisions = list(enumerate(subject.config.routing.decisions))
    ordered = sorted(decisions, key=lambda item: -item[1].priority)
    earlier: list[tuple[str, _Form]] = []
    for index, decision in ordered:
        form = _form(decision.when)
        winner = next((name for name, wider in earlier if _implies(form, wider)), None)
        if winner is not None and decision.name not in targets:
            message = f"the decision {decision.name!r} can never win: {winner!r} comes first and holds whenever it does"
            yield Finding(("routing", "decisions", index), message)
        earlier.append((decision.name, form))


def _form(rule: Rule | None) -> _Form:
    if rule is None:
        return _ALWAYS
    if rule.not_ is not None:
        return _Form("not", frozenset({_form(rule.not_)}))
    for key, children in (("all", rule.all), ("any", rule.any)):
        if children is not None:
            return _group(key, frozenset(_form(child) for child in children))
    named = ((kind, name) for kind in SIGNALS for _, name in leaves(rule, kind, ()))
    return _group("any", frozenset(_Form(kind, name=name) for kind, name in named))


def _group(key: str, forms: frozenset[_Form]) -> _Form:
    return _Form(key, forms) if len(forms) > 1 else next(iter(forms), _EMPTY)


@lru_cache(maxsize=4096)
def _implies(narrow: _Form, wide: _Form) -> bool:
    """Tell whether ``wide`` holds wherever ``narrow`` does: sound but not complete, for what is written by mistake."""
    if narrow == wide:
        return narrow != _EMPTY
    if narrow.key == "any":
        return narrow != _EMPTY and all(_implies(form, wide) for form in narrow.inside)
    if wide.key == "all":
        return all(_implies(narrow, form) for form in wide.inside)
    some_wide = wide.key == "any" and any(_implies(narrow, form) for form in wide.inside)
    return some_wide or (narrow.key == "all" and any(_implies(form, wide) for form in narrow.inside))
