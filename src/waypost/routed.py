"""Where one request goes, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from waypost.config.schema import DecisionConfig, SystemPrompt
from waypost.guard.personal import Search
from waypost.guard.scope import Guards
from waypost.policy.decide import Outcome
from waypost.types import Decision, Selection, SignalResult, Verdict

__all__ = ["Routed"]


@dataclass(frozen=True, slots=True)
class Routed:
    """The choice of a model, and all that led to it."""

    selection: Selection
    """Even where a guard blocks: the model that would have answered."""
    outcome: Outcome | None = None
    """What the policy found; None when the client named a model of the pool."""
    decision: Decision | None = None
    """The decision in force: the policy's, or the one that a guard routed to; None for a model that was named."""
    route: DecisionConfig | None = None
    """Its configuration; None where none held, too."""
    signals: Mapping[str, SignalResult] = field(default_factory=dict)
    """What was measured for rules and guards, by kind."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Wall time of each measurement."""
    guards: Guards = field(default_factory=Guards)
    """Those in force."""
    verdicts: tuple[Verdict, ...] = ()
    personal: Search | None = None
    """Where the personal data stands, if a guard searched for it."""

    @property
    def blocked(self) -> Verdict | None:
        """What keeps the request from every model."""
        return next((verdict for verdict in self.verdicts if verdict.action == "block"), None)

    @property
    def decide_seconds(self) -> float:
        """Wall time of rules, plan and reasons."""
        return self.outcome.decide_seconds if self.outcome else 0.0

    @property
    def category(self) -> str:
        """The domain that the text was found to be in; empty when it was not asked or not clear."""
        domain = self.signals.get("domain")
        return next(iter(domain.matched), "") if domain else ""

    @property
    def system_prompt(self) -> SystemPrompt | None:
        """The route's own system prompt."""
        return self.route.system_prompt if self.route else None
