"""Metrics of what models answered: how long it took, how many tokens it was, and what it cost."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

from waypost.observe.prices import Prices
from waypost.types import Record, Usage

__all__ = ["AnswerMetrics"]

_ANSWER_SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600)
_TOKEN_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5)
_TOKENS: Final = (8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072)


class AnswerMetrics:
    """Counts answers by the model that gave them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._times(registry)
        self._tokens(registry)
        self._money(registry)

    def _times(self, registry: CollectorRegistry) -> None:
        self.completion_seconds = Histogram(
            "llm_model_completion_latency_seconds",
            "From the request's head to the end of an answer of 2xx.",
            ["model"],
            buckets=_ANSWER_SECONDS,
            registry=registry,
        )
        self.first_token_seconds = Histogram(
            "llm_model_ttft_seconds",
            "From the request's head to the first content of an answer of 2xx.",
            ["model"],
            buckets=_ANSWER_SECONDS,
            registry=registry,
        )
        self.token_seconds = Histogram(
            "llm_model_tpot_seconds",
            "Time per output token after the first, of streamed answers.",
            ["model"],
            buckets=_TOKEN_SECONDS,
            registry=registry,
        )

    def _tokens(self, registry: CollectorRegistry) -> None:
        def counter(name: str, what: str) -> Counter:
            return Counter(name, f"{what} tokens, as reported by backends.", ["model"], registry=registry)

        def histogram(name: str, what: str) -> Histogram:
            return Histogram(name, f"{what} tokens of one request.", ["model"], buckets=_TOKENS, registry=registry)

        self.tokens = counter("llm_model_tokens", "Prompt and completion")
        self.prompt_tokens = counter("llm_model_prompt_tokens", "Prompt")
        self.completion_tokens = counter("llm_model_completion_tokens", "Completion")
        self.prompt_sizes = histogram("llm_prompt_tokens_per_request", "Prompt")
        self.completion_sizes = histogram("llm_completion_tokens_per_request", "Completion")

    def _money(self, registry: CollectorRegistry) -> None:
        labels = ["model", "currency"]
        self.cost = Counter("llm_model_cost", "Cost of answers, by the prices of the pool.", labels, registry=registry)
        self.baseline_cost = Counter(
            "waypost_baseline_cost",
            "What the baseline model would have cost for the same tokens; less llm_model_cost, it is what was saved.",
            labels,
            registry=registry,
        )

    def observe(self, record: Record, model: str, prices: Prices | None) -> None:
        """Count an answer of 2xx of ``model``. One that broke off has no latency, but its tokens count."""
        if not record.aborted:
            self.completion_seconds.labels(model).observe(record.total_seconds)
        if record.first_token_seconds is not None:
            self.first_token_seconds.labels(model).observe(record.first_token_seconds)
        if record.usage is None:
            return
        self._observe_pace(record, record.first_token_seconds, record.usage, model)
        self._observe_tokens(record.usage, model)
        if prices and (cost := prices.cost(model, record.usage)):
            self.cost.labels(model, cost.currency).inc(cost.amount)
            if cost.baseline is not None:
                self.baseline_cost.labels(model, cost.currency).inc(cost.baseline)

    def _observe_pace(self, record: Record, first_token: float | None, usage: Usage, model: str) -> None:
        after_first = usage.completion_tokens - 1
        if record.stream and first_token is not None and after_first > 0:
            self.token_seconds.labels(model).observe((record.total_seconds - first_token) / after_first)

    def _observe_tokens(self, usage: Usage, model: str) -> None:
        self.tokens.labels(model).inc(usage.prompt_tokens + usage.completion_tokens)
        self.prompt_tokens.labels(model).inc(usage.prompt_tokens)
        self.completion_tokens.labels(model).inc(usage.completion_tokens)
        self.prompt_sizes.labels(model).observe(usage.prompt_tokens)
        self.completion_sizes.labels(model).observe(usage.completion_tokens)
