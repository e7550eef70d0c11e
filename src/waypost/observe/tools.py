"""Metrics of the choice of tools."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

from waypost.observe.labels import decision_label
from waypost.types import Record, ToolChoice

__all__ = ["ToolMetrics"]

_SECONDS: Final = (0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class ToolMetrics:
    """Counts choices by decision. Names of tools are in no label: clients give them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        decision = ["decision_name"]
        self.choices = Counter(
            "waypost_tool_choices",
            "Requests for which tools were chosen: 'changed', 'unchanged', or 'unknown' when nothing could be chosen.",
            ["decision_name", "strategy", "result"],
            registry=registry,
        )
        self.tools = Counter(
            "waypost_tools",
            "Tools that models were 'offered', that were 'selected' for their score, 'added' and 'removed'.",
            ["decision_name", "what"],
            registry=registry,
        )
        self.tokens_removed = Counter(
            "waypost_tool_tokens_removed",
            "Estimated prompt tokens spared by the choice of tools, of requests where it spared some.",
            decision,
            registry=registry,
        )
        self.tokens_added = Counter(
            "waypost_tool_tokens_added",
            "Estimated prompt tokens that the choice of tools cost, of requests where it cost some.",
            decision,
            registry=registry,
        )
        self.seconds = Histogram(
            "vsr_tools_retrieval_duration_seconds",
            "Time to choose the tools of a request.",
            ["strategy"],
            buckets=_SECONDS,
            registry=registry,
        )

    def observe(self, record: Record) -> None:
        """Count one finished request."""
        if record.tools is None:
            return
        self._observe(record.tools, decision_label(record.decision))
        if step := record.steps.get("tools"):
            self.seconds.labels(record.tools.mode).observe(step.seconds)

    def _observe(self, choice: ToolChoice, decision: str) -> None:
        changed = "changed" if choice.added or choice.removed else "unchanged"
        self.choices.labels(decision, choice.mode, "unknown" if choice.unknown else changed).inc()
        counts = {
            "offered": choice.offered,
            "selected": choice.selected,
            "added": len(choice.added),
            "removed": choice.removed,
        }
        for what, count in counts.items():
            self.tools.labels(decision, what).inc(count)
        self.tokens_removed.labels(decision).inc(max(0, choice.tokens_saved))
        self.tokens_added.labels(decision).inc(max(0, -choice.tokens_saved))
