"""Prometheus metrics. VSR's names wherever VSR has one that means what it says, ours with the prefix ``waypost_``.

Labels are bounded: a model name that is not in the pool is counted as ``other``, whatever a client sends.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from waypost import __version__
from waypost.types import Record, Usage

__all__ = ["Metrics"]

_ROUTING_SECONDS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_ANSWER_SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600)
_OTHER: Final = "other"


class Metrics:
    """The registry, and the observer that fills it. ``known_models`` bounds the label ``model``."""

    content_type: Final = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # or each counter has a twin
        self.registry = CollectorRegistry()
        self._known: frozenset[str] = frozenset()
        self._requests()
        self._routing()
        self._answers()
        self._process()

    def _requests(self) -> None:
        registry = self.registry
        self.requests = Counter(
            "llm_model_requests", "Requests by the model the client named.", ["model"], registry=registry
        )
        self.errors = Counter(
            "llm_request_errors",
            "Requests that failed, by requested model and reason.",
            ["model", "reason"],
            registry=registry,
        )
        self.responses = Counter(
            "waypost_responses", "Answers sent to clients by status code.", ["status"], registry=registry
        )
        self.active = Gauge(
            "waypost_requests_active", "Requests between their head and the end of their answer.", registry=registry
        )

    def _routing(self) -> None:
        registry = self.registry
        self.modifications = Counter(
            "llm_model_routing_modifications",
            "Requests sent to another model than the client named.",
            ["source_model", "target_model"],
            registry=registry,
        )
        self.decisions = Counter(
            "llm_decision_match",
            "Decisions that won; 'none' when the default model answered.",
            ["decision_name"],
            registry=registry,
        )
        self.signal_matches = Counter(
            "llm_signal_match", "Signals that held.", ["signal_type", "signal_name"], registry=registry
        )
        self.signal_unknown = Counter(
            "waypost_signal_unknown", "Signals that gave no answer.", ["signal_type"], registry=registry
        )
        self.signal_seconds = Histogram(
            "llm_signal_extraction_latency_seconds",
            "Time to measure one kind of signal.",
            ["signal_type"],
            buckets=_ROUTING_SECONDS,
            registry=registry,
        )
        self.decide_seconds = Histogram(
            "llm_decision_evaluation_latency_seconds",
            "Time to evaluate the rules, without the signals.",
            buckets=_ROUTING_SECONDS,
            registry=registry,
        )
        self.routing_seconds = Histogram(
            "llm_model_routing_latency_seconds",
            "waypost's own time for one request, from the body to the answer.",
            buckets=_ROUTING_SECONDS,
            registry=registry,
        )

    def _answers(self) -> None:
        registry = self.registry
        self.completion_seconds = Histogram(
            "llm_model_completion_latency_seconds",
            "From the request's head to the end of the answer.",
            ["model"],
            buckets=_ANSWER_SECONDS,
            registry=registry,
        )
        self.first_token_seconds = Histogram(
            "llm_model_ttft_seconds",
            "From the request's head to the first content of the answer.",
            ["model"],
            buckets=_ANSWER_SECONDS,
            registry=registry,
        )
        self.prompt_tokens = Counter(
            "llm_model_prompt_tokens", "Prompt tokens, as reported by backends.", ["model"], registry=registry
        )
        self.completion_tokens = Counter(
            "llm_model_completion_tokens", "Completion tokens, as reported by backends.", ["model"], registry=registry
        )

    def _process(self) -> None:
        registry = self.registry
        self.reloads = Counter("waypost_config_reloads", "Reloads of the configuration.", ["result"], registry=registry)
        self.processor_errors = Counter(
            "waypost_processor_errors", "Failures inside waypost that were caught at the edge.", registry=registry
        )
        self.child_restarts = Counter(
            "waypost_child_restarts",
            "Children that ended by themselves and were started again.",
            ["child"],
            registry=registry,
        )
        build = Gauge("waypost_build_info", "Always 1; the labels say what runs.", ["version"], registry=registry)
        build.labels(__version__).set(1)

    def know(self, models: frozenset[str]) -> None:
        """Set the names that may appear in the label ``model``; any other is ``other``."""
        self._known = models

    def begin(self) -> None:
        """Count a request that begins."""
        self.active.inc()

    def observe(self, record: Record) -> None:
        """Count one finished request."""
        self.active.dec()
        requested = self._label(record.requested_model)
        self.responses.labels(str(record.status) if record.status else "none").inc()
        if record.requested_model:
            self.requests.labels(requested).inc()
        if reason := _reason(record):
            self.errors.labels(requested, reason).inc()
        self._observe_routing(record, requested)
        if record.selection is not None and record.status and not record.error:
            self._observe_answer(record, record.selection.model)

    def _observe_routing(self, record: Record, requested: str) -> None:
        if record.router_seconds:
            self.routing_seconds.observe(record.router_seconds)
        if record.decision is None:
            return
        self.decide_seconds.observe(record.decide_seconds)
        self.decisions.labels(record.decision.name or "none").inc()
        if record.selection is not None:
            self.modifications.labels(requested, record.selection.model).inc()
        for kind, seconds in record.signal_seconds.items():
            self.signal_seconds.labels(kind).observe(seconds)
        for kind, result in record.signals.items():
            if result.unknown:
                self.signal_unknown.labels(kind).inc()
            for name in result.matched:
                self.signal_matches.labels(kind, name).inc()

    def _observe_answer(self, record: Record, model: str) -> None:
        if not record.aborted:
            self.completion_seconds.labels(model).observe(record.total_seconds)
        if record.first_token_seconds is not None:
            self.first_token_seconds.labels(model).observe(record.first_token_seconds)
        usage = record.usage or Usage(0, 0)
        self.prompt_tokens.labels(model).inc(usage.prompt_tokens)
        self.completion_tokens.labels(model).inc(usage.completion_tokens)

    def _label(self, model: str) -> str:
        return model if model in self._known else _OTHER

    def render(self) -> bytes:
        """The text exposition of everything, as a scrape wants it."""
        return generate_latest(self.registry)


def _reason(record: Record) -> str:
    """VSR's reason codes, and the code of our own error where VSR has none."""
    if record.error:
        return record.error
    if record.aborted:
        return "cancellation"
    if record.status >= 500:
        return "upstream_5xx"
    return "upstream_4xx" if record.status >= 400 else ""
