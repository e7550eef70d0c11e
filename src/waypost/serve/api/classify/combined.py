"""``POST /api/v1/classify/combined``: all three questions about one text, in one reading of it."""

from __future__ import annotations

import time

from fastapi import APIRouter

from waypost.serve.api.classify.intent import Intent, IntentOptions, classify_intent
from waypost.serve.api.classify.pii import Pii, PiiOptions, classify_pii
from waypost.serve.api.classify.security import Security, SecurityOptions, classify_security
from waypost.serve.api.model import Ask, Tell, Text, milliseconds
from waypost.serve.api.services import EncoderNow, EngineNow

__all__ = ["Options", "router"]

router = APIRouter()


class Options(Ask):
    """The options of each question."""

    intent: IntentOptions = IntentOptions()
    pii: PiiOptions = PiiOptions()
    security: SecurityOptions = SecurityOptions()


class CombinedRequest(Ask):
    """A text to classify, search and judge."""

    text: Text
    options: Options = Options()


class Combined(Tell):
    """All there is to say."""

    intent: Intent
    pii: Pii
    security: Security
    processing_time_ms: float


@router.post("/combined")
async def combined(body: CombinedRequest, engine: EngineNow, encoder: EncoderNow) -> Combined:
    """Tell the subject, the personal data and the attacks of a text."""
    started = time.perf_counter()
    text, options = body.text, body.options
    return Combined(
        intent=await classify_intent(engine, encoder, text, options.intent),
        pii=await classify_pii(engine, encoder, text, options.pii),
        security=await classify_security(engine, encoder, text, options.security),
        processing_time_ms=milliseconds(started),
    )
