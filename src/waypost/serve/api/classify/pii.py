"""``POST /api/v1/classify/pii``: where personal data stands in a text, and the text without it."""

from __future__ import annotations

import time
from typing import Literal

from fastapi import APIRouter
from pydantic import Field

from waypost.config.guarding import IDENTIFYING
from waypost.config.naming import listed
from waypost.engine import Engine
from waypost.errors import InferenceError
from waypost.guard.personal import PersonalData
from waypost.guard.pii.finding import Finding
from waypost.guard.pii.types import PII_TYPES
from waypost.guard.pii.vault import Vault
from waypost.inference.encoder import Encoder
from waypost.serve.api.classify.measure import head
from waypost.serve.api.model import Ask, PiiType, Probability, Tell, Text, milliseconds
from waypost.serve.api.services import EncoderNow, EngineNow

__all__ = ["Pii", "PiiOptions", "classify_pii", "router"]

router = APIRouter()


class PiiOptions(Ask):
    """What to look for, and what to tell of it."""

    entity_types: list[PiiType] = Field([], max_length=len(PII_TYPES))
    """Empty: all."""
    confidence_threshold: Probability | None = None
    """Absent: the classifier's own."""
    return_positions: bool = False
    mask_entities: bool = False
    reveal_entity_text: bool = False
    """Repeat in the answer what was found."""


class PiiRequest(Ask):
    """A text to search."""

    text: Text
    options: PiiOptions = PiiOptions()


class Entity(Tell):
    """One piece of personal data."""

    type: str
    value: str
    """``[DETECTED]``, or the piece itself where ``reveal_entity_text`` asks for it."""
    confidence: float
    start_position: int | None = None
    """In characters (Unicode code points) of the text."""
    end_position: int | None = None
    """Exclusive."""
    masked_value: str | None = None
    """What stands for it in ``masked_text``; the same value has the same mask."""
    recogniser: str
    """What found it: the form that it has, or the classifier."""


class Pii(Tell):
    """The personal data of a text."""

    has_pii: bool
    entities: list[Entity]
    """In the order of the text, without overlap."""
    masked_text: str | None = None
    security_recommendation: Literal["allow", "block"]
    """``block`` where something was found that ``guard.pii.types`` counts; without the guard, its defaults."""
    processing_time_ms: float
    skipped_tokens: int
    """Of a very long text: what the classifier did not read."""


@router.post("/pii")
async def pii(body: PiiRequest, engine: EngineNow, encoder: EncoderNow) -> Pii:
    """Find personal data in a text, with its places, and mask it."""
    return await classify_pii(engine, encoder, body.text, body.options)


async def classify_pii(engine: Engine, encoder: Encoder, text: str, options: PiiOptions) -> Pii:
    """Answer for one text. Raises Unavailable, InferenceError."""
    started = time.perf_counter()
    threshold = options.confidence_threshold
    if threshold is None:
        configured = engine.config.classifiers.pii.threshold
        threshold = head(encoder, "pii").threshold if configured is None else configured
    limits = engine.config.encoder
    personal = PersonalData(encoder, threshold, deadline=limits.deadline, max_windows=limits.max_windows)
    search = await personal.search([text], {})
    if search.result.unknown:
        raise InferenceError(f"pii is unknown: {search.result.unknown}")
    (found,) = search.only(options.entity_types or PII_TYPES)
    vault = Vault((text,))
    masked = vault.mask(text, found) if options.mask_entities else None
    guard = engine.config.guard.pii
    counted = listed(guard.types) if guard else IDENTIFYING
    return Pii(
        has_pii=bool(found),
        entities=[_entity(finding, text, vault, options) for finding in found],
        masked_text=masked,
        security_recommendation="block" if any(finding.type in counted for finding in found) else "allow",
        processing_time_ms=milliseconds(started),
        skipped_tokens=search.result.skipped_tokens,
    )


def _entity(finding: Finding, text: str, vault: Vault, options: PiiOptions) -> Entity:
    value = text[finding.start : finding.end]
    return Entity(
        type=finding.type,
        value=value if options.reveal_entity_text else "[DETECTED]",
        confidence=finding.score,
        start_position=finding.start if options.return_positions else None,
        end_position=finding.end if options.return_positions else None,
        masked_value=vault.mask(value, [_moved(finding)]) if options.mask_entities else None,
        recogniser=finding.recogniser,
    )


def _moved(finding: Finding) -> Finding:
    """The same finding in its own text alone."""
    return Finding(0, finding.end - finding.start, finding.type, finding.score, finding.recogniser)
