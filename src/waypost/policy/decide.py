"""The public face of the policy: from a request to the decision that won, and why."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from waypost.config.schema import DecisionConfig
from waypost.policy.plan import settle
from waypost.policy.reasons import confidence, reasons
from waypost.policy.rules import Results, compile_rule, evaluate
from waypost.signals.base import Signal
from waypost.types import Decision, Request

__all__ = ["Outcome", "Policy"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was decided on one request, and what it took."""

    decision: Decision
    route: DecisionConfig | None
    """The configuration of the decision; None when none held and the default model answers."""
    results: Results
    """What was measured, by kind."""
    skipped: Mapping[str, str]
    """Kinds that were not measured, and why."""
    seconds: Mapping[str, float]
    """Wall time of each measurement."""
    decide_seconds: float
    """Wall time of everything else: rules, plan and reasons."""


class Policy:
    """The decisions of a configuration in the order in which they are tried."""

    def __init__(self, decisions: Sequence[DecisionConfig]) -> None:
        self.decisions = tuple(sorted(decisions, key=lambda decision: -decision.priority))
        self.rules = tuple(compile_rule(decision.when) for decision in self.decisions)

    async def decide(self, signals: Mapping[str, Signal], request: Request) -> Outcome:
        """Measure what is needed and name the first decision whose rule holds."""
        started = time.perf_counter()
        settled = await settle(self.rules, signals, request)
        decision = self._decision(settled.winner, settled.results)
        return Outcome(
            decision=decision,
            route=None if settled.winner is None else self.decisions[settled.winner],
            results=settled.results,
            skipped=settled.skipped,
            seconds=settled.seconds,
            decide_seconds=time.perf_counter() - started - sum(settled.seconds.values()),
        )

    def _decision(self, winner: int | None, results: Results) -> Decision:
        rejected = tuple(self._rejected(winner, results))
        if winner is None:
            return Decision("", ("no decision holds",), confidence=0.0, rejected=rejected)
        rule = self.rules[winner]
        why = reasons(rule, results) or ("always",)
        return Decision(self.decisions[winner].name, why, confidence(rule, results), rejected)

    def _rejected(self, winner: int | None, results: Results) -> Iterator[str]:
        """Say of each decision before the winner why it did not win; what was never measured is told as such."""
        for decision, rule in zip(self.decisions[:winner], self.rules, strict=False):
            verdict = "unknown" if evaluate(rule, results) is None else "does not hold"
            yield f"{decision.name} {verdict}: {', '.join(reasons(rule, results)) or 'never'}"
