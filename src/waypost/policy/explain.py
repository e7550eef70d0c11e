"""An outcome as plain, JSON-serialisable data: what ``waypost route`` and the API show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NotRequired, TypedDict

from waypost.policy.decide import Outcome, Policy
from waypost.policy.rules import All, Any, Leaf, Node, Not, Results, evaluate, leaves_of
from waypost.types import SignalResult, Truth

__all__ = ["DecisionRow", "RuleRow", "SignalRow", "decision_rows", "signal_rows"]


class SignalRow(TypedDict):
    """One name of one signal."""

    signal: str
    name: str
    """Empty when the whole signal was not measured or is unknown."""
    score: float | None
    threshold: float | None
    margin: float | None
    """Score less threshold."""
    truth: Truth
    note: str
    """Why it is unknown or was not measured; else empty."""


class RuleRow(TypedDict):
    """A rule and its parts, with the truth of each."""

    rule: str
    """``all``, ``any``, ``not`` or the kind of a signal."""
    truth: Truth
    names: NotRequired[list[str]]
    parts: NotRequired[list[RuleRow]]


class DecisionRow(TypedDict):
    """One decision, in the order in which they are tried."""

    name: str
    priority: int
    truth: Truth
    rule: RuleRow


def signal_rows(policy: Policy, outcome: Outcome) -> list[SignalRow]:
    """Return a row for each name that was scored, matched or asked for; the best score of a signal first."""
    rows = [row for result in outcome.results.values() for row in _rows_of(result, _names(policy, result.kind))]
    return rows + [_row(kind, "", None, note=why) for kind, why in outcome.skipped.items()]


def decision_rows(policy: Policy, outcome: Outcome) -> list[DecisionRow]:
    """Return every decision with its rule and the truth of each part."""
    return [
        DecisionRow(
            name=decision.name,
            priority=decision.priority,
            truth=evaluate(rule, outcome.results),
            rule=_rule_row(rule, outcome.results),
        )
        for decision, rule in zip(policy.decisions, policy.rules, strict=True)
    ]


def _names(policy: Policy, kind: str) -> set[str]:
    return {name for rule in policy.rules for leaf in leaves_of(rule) if leaf.kind == kind for name in leaf.names}


def _rows_of(result: SignalResult, asked: set[str]) -> Iterator[SignalRow]:
    if result.unknown:
        yield _row(result.kind, "", None, note=result.unknown)
        return
    names = sorted(asked.union(result.scores, result.matched))
    for name in sorted(names, key=lambda name: -result.scores.get(name, 0.0)):
        truth = evaluate(Leaf(result.kind, (name,)), {result.kind: result})
        yield _row(result.kind, name, truth, result.scores.get(name), result.threshold)


def _row(
    kind: str, name: str, truth: Truth, score: float | None = None, threshold: float | None = None, note: str = ""
) -> SignalRow:
    margin = None if score is None or threshold is None else score - threshold
    return SignalRow(signal=kind, name=name, score=score, threshold=threshold, margin=margin, truth=truth, note=note)


def _rule_row(node: Node, results: Results) -> RuleRow:
    truth = evaluate(node, results)
    match node:
        case Leaf(kind, names):
            return RuleRow(rule=kind, truth=truth, names=list(names))
        case Not(part):
            return RuleRow(rule="not", truth=truth, parts=[_rule_row(part, results)])
        case All(parts) | Any(parts):
            name = "all" if isinstance(node, All) else "any"
            return RuleRow(rule=name, truth=truth, parts=[_rule_row(part, results) for part in parts])
