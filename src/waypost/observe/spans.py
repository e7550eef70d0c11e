"""The spans of one finished request, built from its record: while it runs, tracing costs it a few ids.

Names and attributes are VSR's wherever it has them; those of the model's call follow OpenTelemetry's conventions for
generative AI (https://opentelemetry.io/docs/specs/semconv/gen-ai/). Signals are laid end to end in the order in which
they were measured. Nothing that a client wrote is in them, but for the path and the model that it named.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from waypost.observe.labels import decision_label
from waypost.types import (
    Decision,
    Recalled,
    Record,
    Selection,
    SignalResult,
    Step,
    ToolChoice,
    Trace,
    Usage,
    Verdict,
)

__all__ = ["Attributes", "Span", "Value", "spans_of"]

Value = str | bool | int | float | tuple[str, ...]
Attributes = Mapping[str, Value]

_PREFIX: Final = "semantic_router."
_SIGNALS: Final = {
    "domain": "classification",
    "jailbreak": "security.jailbreak_detection",
    "pii": "security.pii_detection",
}
"""Kinds whose span has a name of its own; the others are ``signal.KIND``."""
_TEXT: Final = 256
"""Characters of a client's own words (path, model) that a span keeps."""


@dataclass(frozen=True, slots=True)
class Span:
    """One step. Times are Unix seconds, ids lower-case hex."""

    name: str
    span_id: str
    parent_id: str
    start: float
    end: float
    attributes: Attributes = field(default_factory=dict)
    kind: Literal["internal", "server", "client"] = "internal"
    events: tuple[tuple[str, float], ...] = ()
    error: str = ""
    """Why it failed; empty when it did not."""


def spans_of(record: Record, trace: Trace, new_id: Callable[[], str] = lambda: os.urandom(8).hex()) -> list[Span]:
    """Build the request's own span first, then one for each step that was taken."""
    return [_root(record, trace), *_steps(record, trace, new_id)]


def _root(record: Record, trace: Trace) -> Span:
    attributes: dict[str, Value] = {
        "request.id": record.request_id,
        "http.method": record.method,
        "http.path": record.path[:_TEXT],
        "http.request.method": record.method,
        "url.path": record.path[:_TEXT],
        "http.response.status_code": record.status,
        "gen_ai.request.model": record.requested_model[:_TEXT],
        "waypost.aborted": record.aborted,
    }
    if record.error:
        attributes["error.type"] = record.error
    failed = record.error or str(record.status) if record.status >= 500 else ""
    end = record.began + record.total_seconds
    return Span(
        f"{_PREFIX}request.received",
        trace.span_id,
        trace.parent_id,
        record.began,
        end,
        attributes,
        "server",
        (),
        failed,
    )


def _steps(record: Record, trace: Trace, new_id: Callable[[], str]) -> Iterator[Span]:
    moment = record.began + record.body_seconds
    sent = moment + record.router_seconds + record.waited_seconds
    for kind, seconds in record.signal_seconds.items():
        attributes = _signal(kind, seconds, record.signals.get(kind), record.verdicts)
        name = _PREFIX + _SIGNALS.get(kind, f"signal.{kind}")
        yield Span(name, new_id(), trace.span_id, moment, moment + seconds, attributes)
        moment += seconds
    if record.selection is None:
        return
    ready = moment + record.decide_seconds
    if record.decision is not None:
        attributes = _decision(record, record.decision, record.selection)
        yield Span(f"{_PREFIX}routing.decision", new_id(), trace.span_id, moment, ready, attributes)
    for name, attributes, step in _measured(record):
        start, ready = record.began + step.start, record.began + step.start + step.seconds
        yield Span(_PREFIX + name, new_id(), trace.span_id, start, ready, attributes)
    if record.recalled and record.recalled.hit:
        return
    if record.system_prompt:
        yield Span(f"{_PREFIX}system_prompt.injection", new_id(), trace.span_id, ready, sent)
    yield Span(f"{_PREFIX}backend.selection", new_id(), trace.span_id, sent, sent, _backend(record, record.selection))
    if not record.error and record.status:
        yield _upstream(record, record.selection, trace, sent)


def _measured(record: Record) -> Iterator[tuple[str, Attributes, Step]]:
    """The steps whose own times are known, in their order."""
    if record.recalled and (step := record.steps.get("cache")):
        yield "cache.lookup", _cache(record.recalled, step.seconds), step
    if record.tools and (step := record.steps.get("tools")):
        yield "tools.selection", _tools(record.tools), step


def _cache(recalled: Recalled, seconds: float) -> Attributes:
    found: dict[str, Value] = {
        "cache.hit": recalled.hit,
        "cache.result": recalled.reason,
        "cache.lookup_time_ms": seconds * 1000,
    }
    return found if recalled.similarity is None else found | {"cache.similarity": recalled.similarity}


def _tools(choice: ToolChoice) -> Attributes:
    found: dict[str, Value] = {
        "tools.strategy": choice.mode,
        "tools.count": choice.offered,
        "tools.selected": choice.added,
        "tools.removed": choice.removed,
        "tools.tokens_saved": choice.tokens_saved,
    }
    return found | {"tools.unknown": choice.unknown} if choice.unknown else found


def _signal(kind: str, seconds: float, result: SignalResult | None, verdicts: tuple[Verdict, ...]) -> Attributes:
    found: dict[str, Value] = {
        "signal.type": kind,
        "signal.latency_ms": seconds * 1000,
    }
    if result is None:
        return found
    matched = tuple(sorted(result.matched))
    found["signal.matched_rules"] = matched
    found["signal.confidence"] = max((result.scores.get(name, 1.0) for name in matched), default=0.0)
    if result.unknown:
        found["signal.unknown"] = result.unknown
    if result.skipped_tokens:
        found["signal.skipped_tokens"] = result.skipped_tokens
    action = next((verdict.action for verdict in verdicts if verdict.guard == kind and not verdict.in_answer), "")
    match kind:
        case "domain":
            found["category.name"] = matched[0] if matched else ""
            found["category.confidence"] = found["signal.confidence"]
            found["classification.time_ms"] = seconds * 1000
        case "jailbreak":
            found |= {"jailbreak.detected": bool(matched), "jailbreak.type": matched, "security.action": action}
            found["jailbreak.detection_time_ms"] = seconds * 1000
        case "pii":
            found |= {"pii.detected": bool(matched), "pii.types": matched, "security.action": action}
            found["pii.detection_time_ms"] = seconds * 1000
    return found


def _decision(record: Record, decision: Decision, selection: Selection) -> Attributes:
    return {
        "routing.strategy": "priority",
        "routing.reason": "; ".join(decision.reasons),
        "routing.original_model": record.requested_model[:_TEXT],
        "routing.selected_model": selection.model,
        "decision.name": decision_label(decision),
        "decision.confidence": decision.confidence,
        "decision.matched_rules": decision.reasons,
    }


def _backend(record: Record, selection: Selection) -> Attributes:
    found = {"model.name": selection.model, "selection.reason": selection.reason}
    return found | ({"endpoint.address": record.endpoint} if record.endpoint else {})


def _upstream(record: Record, selection: Selection, trace: Trace, sent: float) -> Span:
    found: dict[str, Value] = {
        "gen_ai.operation.name": "chat" if record.path.endswith("/chat/completions") else "text_completion",
        "gen_ai.provider.name": "openai",  # the shape of the API, as the conventions ask of compatible servers
        "gen_ai.request.model": selection.model,
        "http.response.status_code": record.status,
    }
    if selection.reasoning is not None:
        found["reasoning.enabled"] = selection.reasoning
        found["reasoning.effort"] = selection.effort or ""
    if record.endpoint:
        host, _, port = record.endpoint.rpartition(":")
        found |= {"server.address": host, "server.port": int(port)}
    found |= _tokens(record.usage)
    events = []
    if record.answer_seconds is not None:
        events.append(("answer.head", record.began + record.answer_seconds))
    if record.first_token_seconds is not None:
        events.append(("answer.first_token", record.began + record.first_token_seconds))
    return Span(
        f"{_PREFIX}upstream.request",
        trace.upstream_id,
        trace.span_id,
        sent,
        record.began + record.total_seconds,
        found,
        "client",
        tuple(events),
        str(record.status) if record.status >= 400 else "",
    )


def _tokens(usage: Usage | None) -> dict[str, Value]:
    if usage is None:
        return {}
    return {
        "gen_ai.usage.input_tokens": usage.prompt_tokens,
        "gen_ai.usage.output_tokens": usage.completion_tokens,
        "token.count.prompt": usage.prompt_tokens,
        "token.count.completion": usage.completion_tokens,
    }
