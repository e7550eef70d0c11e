"""One log line a request, under the names of VSR's events. Never a word of a prompt.

``routing_decision``, ``cache_hit`` or ``cache_miss``, and ``llm_usage`` tell of requests that were served,
``security_block`` of those that a guard stopped and ``routing_block`` of those that were answered with any other error.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Literal

from waypost.observe.prices import Prices
from waypost.types import Recalled, Record, Usage

__all__ = ["Requests", "log_request"]

log = logging.getLogger(__name__)

Requests = Literal["none", "refused", "all"]


def log_request(record: Record, which: Requests, model_label: Callable[[str], str], prices: Prices) -> None:
    """Write the lines of one finished request. ``model_label`` bounds the name that a client sent."""
    if which == "none":
        return
    requested = model_label(record.requested_model) if record.requested_model else ""
    blocked = next((verdict for verdict in record.verdicts if verdict.action == "block"), None)
    if blocked:
        facts = {"guard": blocked.guard, "found": sorted(blocked.found), "in_answer": blocked.in_answer}
        _say("security_block", record, requested_model=requested, **facts)
    elif record.error:
        _say("routing_block", record, requested_model=requested, reason=record.error, status=record.status)
    elif which == "all" and record.selection is not None:
        _say("routing_decision", record, requested_model=requested, **_decision(record))
        if record.recalled:
            _say("cache_hit" if record.recalled.hit else "cache_miss", record, **_cache(record.recalled, record))
        if record.usage:
            _say("llm_usage", record, **_usage(record.selection.model, record.usage, record, prices))


def _say(event: str, record: Record, **facts: object) -> None:
    ids = {"request_id": record.request_id}
    if record.trace:
        ids |= {"trace_id": record.trace.trace_id, "span_id": record.trace.span_id}
    log.info("%s", event, extra={"event": event, **ids, **facts})


def _decision(record: Record) -> dict[str, object]:
    decision, selection = record.decision, record.selection
    return {
        "decision": decision.name or "none" if decision else None,
        "confidence": round(decision.confidence, 4) if decision else None,
        "selected_model": selection.model if selection else None,
        "reasoning": selection.reasoning if selection else None,
        "routing_latency_ms": round(record.router_seconds * 1000, 3),
    }


def _cache(recalled: Recalled, record: Record) -> dict[str, object]:
    step = record.steps.get("cache")
    return {
        "reason": recalled.reason,
        "similarity": None if recalled.similarity is None else round(recalled.similarity, 4),
        "lookup_latency_ms": round(step.seconds * 1000, 3) if step else None,
    }


def _usage(model: str, usage: Usage, record: Record, prices: Prices) -> dict[str, object]:
    cost = prices.cost(model, usage)
    first_token = record.first_token_seconds
    return {
        "model": model,
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "completion_latency_ms": round(record.total_seconds * 1000, 3),
        "ttft_ms": None if first_token is None else round(first_token * 1000, 3),
        "cost": round(cost.amount, 9) if cost else None,
        "currency": cost.currency if cost else None,
    }
