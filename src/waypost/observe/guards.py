"""Metrics of the guards: what they found, in what, and what they did about it."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter

from waypost.types import Record, Verdict

__all__ = ["GuardMetrics"]


class GuardMetrics:
    """Counts verdicts. Labels hold names of our own and of the configuration only."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.verdicts = Counter(
            "waypost_guard_verdicts",
            "What guards found in requests and answers, one for each kind or type, and what they did.",
            ["guard", "action", "reason", "where", "model"],
            registry=registry,
        )
        self.errors = Counter(
            "waypost_guard_errors",
            "Requests and answers of which a guard could not tell, or not of everything, and what it did.",
            ["guard", "action", "where"],
            registry=registry,
        )
        self.violations = Counter(
            "llm_pii_violations",
            "Requests blocked for personal data, one for each type.",
            ["model", "pii_type"],
            registry=registry,
        )

    def observe(self, record: Record, model: str) -> None:
        """Count the verdicts on one request and its answer; ``model`` is the one that answered, or was asked for."""
        for verdict in record.verdicts:
            where = "answer" if verdict.in_answer else "request"
            if verdict.error:
                self.errors.labels(verdict.guard, verdict.action, where).inc()
            for reason in verdict.found:
                self.verdicts.labels(verdict.guard, verdict.action, reason, where, model).inc()
            self._violations(verdict, model)

    def _violations(self, verdict: Verdict, model: str) -> None:
        if verdict.guard == "pii" and verdict.action == "block" and not verdict.in_answer:
            for name in verdict.found:
                self.violations.labels(model, name).inc()
