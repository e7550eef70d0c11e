"""Prometheus metrics. VSR's names wherever VSR has one that means what it says, ours with the prefix ``waypost_``.

Labels are bounded: a model name that is not in the pool is counted as ``other``, whatever a client sends.

Several processes: the workers' counters and histograms are added to those of the process that is asked, and the gauges
of the mode ``SUMMED``; every other gauge is told by that process alone (:mod:`waypost.observe.merged`).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from waypost import __version__
from waypost.observe.answers import AnswerMetrics
from waypost.observe.cache import CacheMetrics
from waypost.observe.endpoints import EndpointMetrics
from waypost.observe.guards import GuardMetrics
from waypost.observe.labels import decision_label
from waypost.observe.merged import SUMMED, Merged
from waypost.observe.prices import Prices
from waypost.observe.store import StoreMetrics
from waypost.observe.tools import ToolMetrics
from waypost.types import Decision, Record, Selection

__all__ = ["Metrics"]

_ROUTING_SECONDS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_CONFIDENCE: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1)
_OTHER: Final = "other"
_VSRS: Final = {"jailbreak_detected": "jailbreak_block", "pii_detected": "pii_policy_denied"}


class Metrics:
    """The registry, and the observer that fills it. ``known_models`` bounds the label ``model``."""

    content_type: Final = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # or each counter has a twin
        self.registry = CollectorRegistry()
        self._told: Collector = self.registry
        self._pending: dict[str, Callable[[], int]] = {}
        self._known: frozenset[str] = frozenset()
        self._prices: Prices | None = None
        self._requests()
        self._routing()
        self.answers = AnswerMetrics(self.registry)
        self.guards = GuardMetrics(self.registry)
        self.cache = CacheMetrics(self.registry)
        self.store = StoreMetrics(self.registry)
        self.tools = ToolMetrics(self.registry)
        self.endpoints = EndpointMetrics(self.registry)
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
            "waypost_requests_active",
            "Requests between their head and the end of their answer.",
            multiprocess_mode=SUMMED,
            registry=registry,
        )

    def _routing(self) -> None:
        registry = self.registry
        self.modifications = Counter(
            "llm_model_routing_modifications",
            "Requests sent to another model than the client named.",
            ["source_model", "target_model"],
            registry=registry,
        )
        self.reasons = Counter(
            "llm_routing_reason_codes",
            "Why a model was asked: 'auto_routing', or 'model_specified' by the client.",
            ["reason_code", "model"],
            registry=registry,
        )
        self.reasoning = Counter(
            "llm_reasoning_decisions",
            "Requests whose reasoning a decision switched on or off.",
            ["category", "model", "enabled", "effort"],
            registry=registry,
        )
        self.confidence = Histogram(
            "llm_decision_confidence",
            "Confidence of the decisions that won.",
            ["decision_name"],
            buckets=_CONFIDENCE,
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
        self.skipped_tokens = Counter(
            "waypost_signal_skipped_tokens",
            "Tokens that no signal of the kind read, as the work cap left them out.",
            ["signal_type"],
            registry=registry,
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

    def _process(self) -> None:
        registry = self.registry
        self.reloads = Counter("waypost_config_reloads", "Reloads of the configuration.", ["result"], registry=registry)
        for result in ("applied", "rejected"):
            self.reloads.labels(result)  # a series that begins at its first event hides that event from rate()
        self.last_reload = Gauge(
            "waypost_config_last_reload_successful",
            "0 while the file on disk is not what is in force.",
            registry=registry,
        )
        self.last_reload.set(1)
        self.encoder_pending = Gauge(
            "waypost_encoder_pending", "Texts that wait for the encoder or are read by it.", registry=registry
        )
        self.observer_lost = Counter(
            "waypost_observer_lost",
            "Requests that a full queue or a failure kept out of the 'traces' or the 'records'.",
            ["sink"],
            registry=registry,
        )
        for sink in ("traces", "records"):
            self.observer_lost.labels(sink)
        self.processor_errors = Counter(
            "waypost_processor_errors", "Failures inside waypost that were caught at the edge.", registry=registry
        )
        self.child_restarts = Counter(
            "waypost_child_restarts",
            "Children that ended by themselves and were started again.",
            ["child"],
            registry=registry,
        )
        self.workers = Gauge(
            "waypost_workers", "Processes that route requests: 1, or of --workers those that live.", registry=registry
        )
        self.workers.set(1)
        build = Gauge("waypost_build_info", "Always 1; the labels say what runs.", ["version"], registry=registry)
        build.labels(__version__).set(1)

    def know(self, models: frozenset[str], prices: Prices | None = None) -> None:
        """Set the names that may appear in the label ``model``, any other is ``other``; and what answers cost."""
        self._known, self._prices = models, prices

    def watch_encoder(self, pending: Callable[[], int], whose: str = "own") -> None:
        """Ask ``pending`` for an encoder's queue whenever metrics are read, instead of what was ``whose`` before."""
        self._pending[whose] = pending
        self.encoder_pending.set_function(lambda: sum(each() for each in self._pending.values()))

    def reloaded(self, *, applied: bool) -> None:
        """Count a reload of the configuration."""
        self.reloads.labels("applied" if applied else "rejected").inc()
        self.last_reload.set(applied)

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
        self.cache.observe(record)
        self.tools.observe(record)
        self.guards.observe(record, record.selection.model if record.selection else requested)
        asked = _asked(record)
        if asked is not None and _succeeded(record):
            self.answers.observe(record, asked.model, self._prices)

    def _observe_routing(self, record: Record, requested: str) -> None:
        if record.router_seconds:
            self.routing_seconds.observe(record.router_seconds)
        asked = _asked(record)
        if asked is not None:
            code = "auto_routing" if record.decision else "model_specified"
            self.reasons.labels(code, asked.model).inc()
        if record.decision is None:
            return
        self._observe_decision(record, record.decision)
        if asked is not None:
            self.modifications.labels(requested, asked.model).inc()
            self._observe_reasoning(record, asked)
        self._observe_signals(record)

    def _observe_decision(self, record: Record, decision: Decision) -> None:
        self.decide_seconds.observe(record.decide_seconds)
        self.decisions.labels(decision_label(decision)).inc()
        if decision.name:
            self.confidence.labels(decision.name).observe(decision.confidence)

    def _observe_reasoning(self, record: Record, selection: Selection) -> None:
        if selection.reasoning is None:
            return
        domain = record.signals.get("domain")
        category = next(iter(domain.matched), "none") if domain else "none"
        enabled = "true" if selection.reasoning else "false"
        self.reasoning.labels(category, selection.model, enabled, selection.effort or "none").inc()

    def _observe_signals(self, record: Record) -> None:
        for kind, seconds in record.signal_seconds.items():
            self.signal_seconds.labels(kind).observe(seconds)
        for kind, result in record.signals.items():
            if result.unknown:
                self.signal_unknown.labels(kind).inc()
            if result.skipped_tokens:
                self.skipped_tokens.labels(kind).inc(result.skipped_tokens)
            for name in result.matched:
                self.signal_matches.labels(kind, name).inc()

    def _label(self, model: str) -> str:
        return model if model in self._known else _OTHER

    def render(self) -> bytes:
        """The text exposition of everything, as a scrape wants it."""
        return generate_latest(self._told)

    def merge(self, directory: Path) -> None:
        """Tell from now on also what workers count in ``directory``."""
        self._told = Merged(self.registry, directory)


def _asked(record: Record) -> Selection | None:
    """The choice of a model that was then asked; None where the cache answered for it."""
    return None if record.recalled and record.recalled.hit else record.selection


def _succeeded(record: Record) -> bool:
    """Whether the model answered. A backend fails fast: its 5xx would pass for the quickest of answers."""
    return 200 <= record.status < 300 and not record.error


def _reason(record: Record) -> str:
    """VSR's reason codes, and the code of our own error where VSR has none."""
    if record.error:
        return _VSRS.get(record.error, record.error)
    if record.aborted:
        return "cancellation"
    if record.status >= 500:
        return "upstream_5xx"
    return "upstream_4xx" if record.status >= 400 else ""
