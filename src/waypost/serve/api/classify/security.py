"""``POST /api/v1/classify/security``: whether a text attacks the model that would read it."""

from __future__ import annotations

import time
from typing import Literal

from fastapi import APIRouter
from pydantic import Field

from waypost.config.naming import listed
from waypost.engine import Engine
from waypost.inference.encoder import Encoder
from waypost.serve.api.classify.measure import attacks
from waypost.serve.api.model import Ask, Tell, Text, milliseconds
from waypost.serve.api.services import EncoderNow, EngineNow
from waypost.signals.names import ATTACKS

__all__ = ["Security", "SecurityOptions", "classify_security", "router"]

router = APIRouter()

Attack = Literal["jailbreak", "harmful", "indirect"]
Sensitivity = Literal["low", "medium", "high"]


class SecurityOptions(Ask):
    """What counts as an attack, and from which probability on."""

    detection_types: list[Attack] = Field([], max_length=len(ATTACKS))
    """Empty: what ``guard.jailbreak.kinds`` counts; without the guard, its defaults."""
    sensitivity: Sensitivity = "medium"
    """``medium``: the classifier's threshold t; ``high``: t / 2; ``low``: (1 + t) / 2."""
    include_reasoning: bool = False


class SecurityRequest(Ask):
    """A text to judge."""

    text: Text
    options: SecurityOptions = SecurityOptions()


class Security(Tell):
    """The verdict on a text."""

    is_jailbreak: bool
    risk_score: float
    """The probability of an attack: of the most probable kind that counts."""
    confidence: float
    """The probability of the verdict: ``risk_score`` of an attack, 1 - ``risk_score`` of a harmless text."""
    detection_types: list[str]
    """The kinds of attack that were found and count."""
    scores: dict[str, float]
    """The probability of every kind, also of those that do not count."""
    threshold: float
    recommendation: Literal["allow", "block"]
    patterns_detected: list[str]
    """Each kind that was found, with its figures."""
    reasoning: str | None = None
    processing_time_ms: float
    skipped_tokens: int
    """Of a very long text: what was not read."""


@router.post("/security")
async def security(body: SecurityRequest, engine: EngineNow, encoder: EncoderNow) -> Security:
    """Tell whether a text tries to override a model's instructions or its safety."""
    return await classify_security(engine, encoder, body.text, body.options)


async def classify_security(engine: Engine, encoder: Encoder, text: str, options: SecurityOptions) -> Security:
    """Answer for one text. Raises Unavailable, InferenceError."""
    started = time.perf_counter()
    measured = await attacks(engine, encoder, text)
    counted = dict.fromkeys(options.detection_types or _kinds(engine))
    threshold = _shifted(measured.threshold or 0.0, options.sensitivity)
    risk = max(measured.scores[kind] for kind in counted)
    found = [kind for kind in counted if measured.scores[kind] >= threshold]
    patterns = [f"{kind} ({measured.scores[kind]:.2f} ≥ {threshold:.2f})" for kind in found]
    return Security(
        is_jailbreak=bool(found),
        risk_score=risk,
        confidence=risk if found else 1 - risk,
        detection_types=found,
        scores=dict(measured.scores),
        threshold=threshold,
        recommendation="block" if found else "allow",
        patterns_detected=patterns,
        reasoning=_reasoning(patterns, risk, threshold) if options.include_reasoning else None,
        processing_time_ms=milliseconds(started),
        skipped_tokens=measured.skipped_tokens,
    )


def _kinds(engine: Engine) -> tuple[str, ...]:
    guard = engine.config.guard.jailbreak
    return listed(guard.kinds) if guard else ("jailbreak", "indirect")


def _shifted(threshold: float, sensitivity: Sensitivity) -> float:
    return {"low": (1 + threshold) / 2, "medium": threshold, "high": threshold / 2}[sensitivity]


def _reasoning(patterns: list[str], risk: float, threshold: float) -> str:
    if patterns:
        return f"found {', '.join(patterns)}"
    return f"the most probable kind of attack has {risk:.2f}, less than {threshold:.2f}"
