"""The classifiers of the configuration in force, asked about one text."""

from __future__ import annotations

from waypost.config.schema import BUNDLED
from waypost.engine import Engine
from waypost.errors import InferenceError
from waypost.inference.encoder import Encoder
from waypost.inference.manifest import HeadFacts
from waypost.serve.api.errors import Unavailable
from waypost.signals.base import Signal
from waypost.signals.conversation import ConversationReader
from waypost.signals.domain import DomainSignal
from waypost.signals.jailbreak import JailbreakSignal
from waypost.types import Message, Request, SignalResult

__all__ = ["attacks", "domains", "head", "said"]


def said(text: str, model: str) -> Request:
    """A conversation of one message."""
    return Request(wire="chat", model=model, messages=(Message("user", text),), user_text=text)


async def domains(engine: Engine, encoder: Encoder | None, text: str) -> SignalResult:
    """Classify by subject. Raises Unavailable, InferenceError."""
    signal = engine.signals.get("domain")
    settings = engine.config.classifiers.domain
    if signal is None and encoder is not None and settings.model == BUNDLED:
        facts = head(encoder, "domain")
        signal = DomainSignal(encoder, facts.threshold if settings.threshold is None else settings.threshold)
    if signal is None:
        raise Unavailable("The classifier for domain is not loaded: no rule needs it.", code="classifier_not_loaded")
    return await _measured(signal, text)


async def attacks(engine: Engine, encoder: Encoder, text: str) -> SignalResult:
    """Look for every kind of attack, to the end of the text. Raises Unavailable, InferenceError."""
    facts = head(encoder, "jailbreak")
    configured = engine.config.classifiers.jailbreak.threshold
    limits = engine.config.encoder
    reader = ConversationReader(encoder, deadline=limits.deadline, max_windows=limits.max_windows)
    threshold = facts.threshold if configured is None else configured
    return await _measured(JailbreakSignal(reader, threshold, stop_early=False), text)


def head(encoder: Encoder, name: str) -> HeadFacts:
    """Describe a head of the encoder. Raises Unavailable when it has none."""
    if facts := encoder.manifest.head(name):
        return facts
    raise Unavailable(
        f"The encoder has no classifier for {name}; it needs waypost's trained weights.", code="classifier_not_loaded"
    )


async def _measured(signal: Signal, text: str) -> SignalResult:
    result = await signal.measure(said(text, ""))
    if result.unknown:
        raise InferenceError(f"{signal.kind} is unknown: {result.unknown}")
    return result
