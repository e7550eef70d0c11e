"""Metrics of the cache: what came of asking it. Its store's are in :mod:`waypost.observe.store`."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

from waypost.observe.labels import decision_label
from waypost.types import Record

__all__ = ["CacheMetrics"]

_SECONDS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""A request may wait for the answer to an identical one."""


class CacheMetrics:
    """Counts what came of asking. Reasons are names of our own, decisions those of the configuration."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.hits = Counter("llm_cache_hits", "Requests answered from the cache.", registry=registry)
        self.misses = Counter("llm_cache_misses", "Requests that the cache did not answer.", registry=registry)
        self.results = Counter(
            "waypost_cache_results",
            "Requests by what came of asking the cache: the layer that hit, or why nothing was served.",
            ["decision_name", "result", "reason"],
            registry=registry,
        )
        self.skipped = Counter(
            "llm_cache_write_skipped",
            "Whole answers that the cache did not keep, and why.",
            ["reason"],
            registry=registry,
        )
        self.seconds = Histogram(
            "waypost_cache_lookup_seconds",
            "Time to ask the cache, the wait for an identical request included.",
            ["result"],
            buckets=_SECONDS,
            registry=registry,
        )

    def observe(self, record: Record) -> None:
        """Count one finished request. An answer that is not kept is counted later, when that is known."""
        if record.recalled is None:
            return
        result = "hit" if record.recalled.hit else "miss"
        (self.hits if record.recalled.hit else self.misses).inc()
        self.results.labels(decision_label(record.decision), result, record.recalled.reason).inc()
        if step := record.steps.get("cache"):
            self.seconds.labels(result).observe(step.seconds)
