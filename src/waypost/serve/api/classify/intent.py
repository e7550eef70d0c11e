"""``POST /api/v1/classify/intent``: the subject of a text, and where the router would send it."""

from __future__ import annotations

import time

from fastapi import APIRouter
from pydantic import Field

from waypost.engine import Engine
from waypost.inference.encoder import Encoder
from waypost.serve.api.classify.measure import domains, said
from waypost.serve.api.model import Ask, Probability, Tell, Text, milliseconds
from waypost.serve.api.services import EngineNow, Serving

__all__ = ["Intent", "IntentOptions", "classify_intent", "router"]

router = APIRouter()


class IntentOptions(Ask):
    """What to tell, and how sure to be."""

    return_probabilities: bool = False
    confidence_threshold: Probability | None = None
    """Absent: the classifier's own."""
    include_explanation: bool = False


class IntentRequest(Ask):
    """A text to classify."""

    text: Text
    options: IntentOptions = IntentOptions()


class Classification(Tell):
    """The most probable subject."""

    category: str
    confidence: float
    """Its probability."""
    threshold: float
    matched: bool
    """Whether the probability reaches the threshold."""
    processing_time_ms: float
    skipped_tokens: int
    """Of a very long text: what was not read."""


class Intent(Tell):
    """The subject, and the router's real decision."""

    classification: Classification
    probabilities: dict[str, float] | None = None
    recommended_model: str
    """The model that a request with this text as its only message would be sent to."""
    routing_decision: str
    """The decision that won; empty when none held and the default model answers."""
    explanation: list[str] | None = Field(None, description="Why the decision won.")


@router.post("/intent")
async def intent(body: IntentRequest, engine: EngineNow, services: Serving) -> Intent:
    """Tell the subject of a text, and what the router would do with it."""
    return await classify_intent(engine, services.encoder(), body.text, body.options)


async def classify_intent(engine: Engine, encoder: Encoder | None, text: str, options: IntentOptions) -> Intent:
    """Answer for one text. Raises Unavailable, InferenceError."""
    started = time.perf_counter()
    found = await domains(engine, encoder, text)
    category = max(found.scores, key=found.scores.__getitem__)
    threshold = options.confidence_threshold
    if threshold is None:
        threshold = found.threshold or 0.0
    classification = Classification(
        category=category,
        confidence=found.scores[category],
        threshold=threshold,
        matched=found.scores[category] >= threshold,
        processing_time_ms=milliseconds(started),
        skipped_tokens=found.skipped_tokens,
    )
    routed = await engine.route(said(text, engine.model_names[0]))
    decision = routed.decision
    return Intent(
        classification=classification,
        probabilities=dict(found.scores) if options.return_probabilities else None,
        recommended_model=routed.selection.model,
        routing_decision=decision.name if decision else "",
        explanation=list(decision.reasons) if decision and options.include_explanation else None,
    )
