"""Metrics of the cache and of the choice of tools."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter

from waypost.types import Record

__all__ = ["CacheMetrics"]


class CacheMetrics:
    """Counts what came of asking. Reasons are names of our own."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.hits = Counter("llm_cache_hits", "Requests answered from the cache.", registry=registry)
        self.misses = Counter("llm_cache_misses", "Requests that the cache did not answer.", registry=registry)
        self.results = Counter(
            "waypost_cache_results",
            "Requests by what came of asking the cache: the layer that hit, or why nothing was served.",
            ["result", "reason"],
            registry=registry,
        )
        self.tokens_saved = Counter(
            "waypost_tool_tokens_removed", "Estimated prompt tokens of tools that were taken out.", registry=registry
        )
        self.tokens_added = Counter(
            "waypost_tool_tokens_added", "Estimated prompt tokens of tools that were put in.", registry=registry
        )

    def observe(self, record: Record) -> None:
        """Count one finished request."""
        self.tokens_saved.inc(max(0, record.tools_saved))
        self.tokens_added.inc(max(0, -record.tools_saved))
        if record.recalled is None:
            return
        (self.hits if record.recalled.hit else self.misses).inc()
        self.results.labels("hit" if record.recalled.hit else "miss", record.recalled.reason).inc()
