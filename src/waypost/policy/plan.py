"""Which signal to measure next, so that a costly one runs only while its answer can still change the outcome.

Decisions are tried in order. The first that is not false is the one to settle: if it is true it wins; if it could
still become true, the cheapest signal that can help it is measured; else it rests on a signal that was measured
without an answer, and it is passed over.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from waypost.policy.rules import All, Any, Leaf, Node, Not, Results, evaluate, leaves_of
from waypost.signals.base import Signal
from waypost.types import Request, SignalResult

__all__ = ["Settled", "measure", "next_kind", "settle", "winner"]


@dataclass(frozen=True, slots=True)
class Settled:
    """The outcome of one request's rules."""

    winner: int | None
    """Position of the rule that won; None when none holds."""
    results: Results
    """What was measured, in the order of measuring."""
    seconds: Mapping[str, float]
    """Wall time of each measurement."""
    skipped: Mapping[str, str]
    """Kinds that were not measured, and why."""


async def settle(
    rules: Sequence[Node],
    signals: Mapping[str, Signal],
    request: Request,
    clock: Callable[[], float] = time.perf_counter,
) -> Settled:
    """Measure until the first rule that holds is known. A kind without a signal is unknown."""
    results: dict[str, SignalResult] = {}
    seconds: dict[str, float] = {}
    costs = {kind: signal.cost for kind, signal in signals.items()}
    while (kind := next_kind(rules, results, costs)) is not None:
        started = clock()
        results[kind] = await measure(kind, signals, request)
        seconds[kind] = clock() - started
    return Settled(winner(rules, results), results, seconds, _skipped(rules, signals, results))


async def measure(kind: str, signals: Mapping[str, Signal], request: Request) -> SignalResult:
    """Measure one kind; a kind without a signal is unknown."""
    signal = signals.get(kind)
    return await signal.measure(request) if signal else SignalResult(kind, unknown="no such signal here")


def next_kind(rules: Sequence[Node], results: Results, costs: Mapping[str, float]) -> str | None:
    """Return the kind to measure next; None when the outcome can no longer change."""
    for rule in rules:
        if evaluate(rule, results):
            return None
        if _can_be(rule, True, results):
            return min(_helpful(rule, True, results), key=lambda kind: (costs.get(kind, 0.0), kind))
    return None


def winner(rules: Sequence[Node], results: Results) -> int | None:
    """Return the position of the first rule that holds."""
    return next((index for index, rule in enumerate(rules) if evaluate(rule, results)), None)


def _can_be(node: Node, wanted: bool, results: Results) -> bool:
    """Return whether some answers of the unmeasured kinds would make the node ``wanted``.

    Leaves are taken as independent of each other, so that it errs on the side of measuring.
    """
    match node:
        case Leaf(kind):
            return kind not in results or evaluate(node, results) is wanted
        case Not(part):
            return _can_be(part, not wanted, results)
        case All(parts) | Any(parts):
            possible = (_can_be(part, wanted, results) for part in parts)
            # Only all parts together make an `all` true or an `any` false.
            return all(possible) if wanted is isinstance(node, All) else any(possible)


def _helpful(node: Node, wanted: bool, results: Results) -> set[str]:
    """Return the unmeasured kinds that can help to make the node ``wanted``, which it can be."""
    if evaluate(node, results) is wanted:
        return set()
    match node:
        case Leaf(kind):
            return {kind}
        case Not(part):
            return _helpful(part, not wanted, results)
        case All(parts) | Any(parts):
            open_parts = [part for part in parts if _can_be(part, wanted, results)]
            return set[str]().union(*(_helpful(part, wanted, results) for part in open_parts))


def _skipped(rules: Sequence[Node], signals: Mapping[str, Signal], results: Results) -> dict[str, str]:
    used = {leaf.kind for rule in rules for leaf in leaves_of(rule)}
    return {
        kind: "could not change the outcome" if kind in used else "no rule names it"
        for kind in sorted(used.union(signals))
        if kind not in results
    }
