"""``POST /api/v1/classify/batch``: one question about many texts."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, Literal

from fastapi import APIRouter

from waypost.engine import Engine
from waypost.inference.encoder import Encoder
from waypost.serve.api.classify.combined import Options
from waypost.serve.api.classify.intent import Intent, classify_intent
from waypost.serve.api.classify.pii import Pii, classify_pii
from waypost.serve.api.classify.security import Security, classify_security
from waypost.serve.api.model import Ask, Tell, Texts, milliseconds
from waypost.serve.api.services import EncoderNow, EngineNow

__all__ = ["router"]

router = APIRouter()

TaskType = Literal["intent", "pii", "security", "all"]

_LOW: Final = 0.7


class BatchRequest(Ask):
    """Texts, and what is asked about them."""

    texts: Texts
    task_type: TaskType = "intent"
    options: Options = Options()


class Result(Tell):
    """What was found in one text; only what was asked for is not null."""

    category: str
    """Its subject; for ``pii`` the surest type or ``none``, for ``security`` the likeliest attack or ``benign``."""
    confidence: float
    """Of the category; 1 of ``none``."""
    intent: Intent | None = None
    pii: Pii | None = None
    security: Security | None = None
    processing_time_ms: float


class Statistics(Tell):
    """Over all texts."""

    category_distribution: dict[str, int]
    avg_confidence: float
    low_confidence_count: int
    """Texts whose confidence is below 0.7."""


class Batch(Tell):
    """The results, in the order of the texts."""

    results: list[Result]
    total_count: int
    processing_time_ms: float
    statistics: Statistics


@router.post("/batch")
async def batch(body: BatchRequest, engine: EngineNow, encoder: EncoderNow) -> Batch:
    """Ask one question, or all, about up to 100 texts.

    They are read one after the other, so that the traffic beside never waits for more than one of them.
    """
    started = time.perf_counter()
    results = [await _result(engine, encoder, text, body.task_type, body.options) for text in body.texts]
    return Batch(
        results=results,
        total_count=len(results),
        processing_time_ms=milliseconds(started),
        statistics=_statistics(results),
    )


async def _result(engine: Engine, encoder: Encoder, text: str, task: TaskType, options: Options) -> Result:
    started = time.perf_counter()
    intent = await classify_intent(engine, encoder, text, options.intent) if task in ("intent", "all") else None
    pii = await classify_pii(engine, encoder, text, options.pii) if task in ("pii", "all") else None
    security = await classify_security(engine, encoder, text, options.security) if task in ("security", "all") else None
    category, confidence = next(_summaries(intent, security, pii))
    return Result(
        category=category,
        confidence=confidence,
        intent=intent,
        pii=pii,
        security=security,
        processing_time_ms=milliseconds(started),
    )


def _summaries(intent: Intent | None, security: Security | None, pii: Pii | None) -> Iterator[tuple[str, float]]:
    if intent:
        yield intent.classification.category, intent.classification.confidence
    if security:
        kinds = security.detection_types
        yield max(kinds, key=security.scores.__getitem__) if kinds else "benign", security.confidence
    if pii:
        surest = max(pii.entities, key=lambda entity: entity.confidence, default=None)
        yield (surest.type, surest.confidence) if surest else ("none", 1.0)


def _statistics(results: Sequence[Result]) -> Statistics:
    return Statistics(
        category_distribution=Counter(result.category for result in results),
        avg_confidence=sum(result.confidence for result in results) / len(results),
        low_confidence_count=sum(result.confidence < _LOW for result in results),
    )
