"""``POST /api/v1/eval``: what the router would do with a request, and why; no backend is called."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from fastapi import Request as Asked
from pydantic import BaseModel, ConfigDict, Discriminator, Field, JsonValue, Tag

from waypost.config.load import Loaded
from waypost.config.place import Place
from waypost.config.pool import Pricing
from waypost.engine import Engine
from waypost.errors import BadRequest
from waypost.guard.heard import heard
from waypost.guard.permission import masked_types
from waypost.guard.pii.mask import mask
from waypost.policy.decide import Outcome
from waypost.policy.explain import decision_rows, signal_rows
from waypost.policy.plan import measure
from waypost.routed import Routed
from waypost.serve.api.model import Ask, Tell, Text, milliseconds
from waypost.serve.api.services import EngineNow, Serving, StoreNow
from waypost.serve.api.trial import MAX_TRIAL, Running, Trials, Tried
from waypost.types import GuardAction, Request, Truth
from waypost.types import Verdict as Found
from waypost.wire import chat
from waypost.wire.document import Document
from waypost.wire.encode import to_json
from waypost.wire.texts import TextPlace, texts

__all__ = ["Chat", "router", "written"]

router = APIRouter(tags=["evaluation"])


class TextPart(BaseModel):
    """A text among the parts of a message."""

    model_config = ConfigDict(extra="allow", strict=True)

    type: Literal["text"]
    text: str


class OtherPart(BaseModel):
    """A part that is not read."""

    model_config = ConfigDict(extra="allow", strict=True)

    type: Literal["image_url", "input_audio", "file", "refusal"]


def _form(content: object) -> str:
    return "<parts>" if isinstance(content, list) else "<text>"


Parts = list[Annotated[TextPart | OtherPart, Field(discriminator="type")]]
Content = Annotated[Annotated[str, Tag("<text>")] | Annotated[Parts, Tag("<parts>")], Discriminator(_form)]


class ChatMessage(BaseModel):
    """A message in OpenAI's shape; what is not named here is taken as in a real request."""

    model_config = ConfigDict(extra="allow", strict=True)

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: Content | None = None


class Chat(Ask):
    """A conversation."""

    messages: list[ChatMessage] = Field(min_length=1)
    tools: list[dict[str, JsonValue]] = Field([])
    model: Annotated[str, Field(max_length=256)] | None = None
    """Absent: the first virtual model."""


class Prompt(Ask):
    """One user message."""

    text: Text
    model: Annotated[str, Field(max_length=256)] | None = None
    """Absent: the first virtual model."""


ConfigText = Annotated[str, Field(min_length=1, max_length=MAX_TRIAL)]


class PromptTrial(Prompt):
    """One user message, for the configuration in force or for another."""

    config: ConfigText | None = None
    """YAML of a configuration to try instead; needs the role ``operate`` where tokens are set."""


class ChatTrial(Chat):
    """A conversation, for the configuration in force or for another."""

    config: ConfigText | None = None
    """YAML of a configuration to try instead; needs the role ``operate`` where tokens are set."""


def _kind(body: object) -> str:
    """Tell by one key what was meant, so that a mistake is told of that and not of what was not meant."""
    given = body.keys() if isinstance(body, dict) else ()
    return "<chat>" if "messages" in given else "<prompt>"


Trial = Annotated[Annotated[PromptTrial, Tag("<prompt>")] | Annotated[ChatTrial, Tag("<chat>")], Discriminator(_kind)]


class SignalRow(Tell):
    """One name of one signal."""

    signal: str
    name: str
    """Empty when the whole signal is unknown."""
    score: float | None
    threshold: float | None
    margin: float | None
    """Score less threshold."""
    truth: Truth
    note: str
    """Why it is unknown."""


class RuleRow(Tell):
    """A rule and its parts, with the truth of each; null is unknown."""

    rule: str
    truth: Truth
    names: list[str] = Field([])
    parts: list[RuleRow] = Field([])


class DecisionRow(Tell):
    """One decision, in the order in which they are tried."""

    name: str
    priority: int
    truth: Truth
    rule: RuleRow


class DecisionResult(Tell):
    """The decision that won; its name is empty when none held."""

    decision_name: str
    confidence: float
    category: str
    """The subject; empty when it was not asked or not clear."""
    reasons: list[str]
    rejected: list[str]
    """Each decision of higher priority, and why it did not win."""
    used_signals: list[str]
    """The kinds that rules had to measure."""
    guard_signals: list[str]
    """The kinds that only a guard asked for. What is in neither list is measured for this answer only."""


class Verdict(Tell):
    """What a guard found, and what it does about it."""

    guard: Literal["jailbreak", "pii"]
    action: GuardAction
    found: dict[str, float]
    """Kinds of attack or types of personal data, with the score of each."""
    error: str | None
    """Why it cannot tell, or not of everything."""
    unread_tokens: int


class Price(Tell):
    """Per million tokens."""

    currency: str
    prompt_per_1m: float
    completion_per_1m: float


class Evaluation(Tell):
    """Where a request would go, and why. A value from the environment is told as ``${NAME}``."""

    config: str
    """Digest of the configuration that tells this."""
    requested_model: str
    routing_decision: str
    """The decision's name; empty when none held or the client named a model of the pool."""
    decision_result: DecisionResult | None
    """Null when the client named a model of the pool."""
    selected_model: str
    served_as: str
    """The name that the backend knows."""
    selection_reason: str
    reasoning: bool | None
    effort: str | None
    system_prompt: str | None
    signals: list[SignalRow]
    """Every signal of the configuration, also those that could not change the outcome; none for a named model."""
    decisions: list[DecisionRow]
    """Every decision, with the truth of each part of its rule; none for a named model."""
    verdicts: list[Verdict]
    """Of the guards that found something or could not tell."""
    blocked: bool
    """Whether a guard keeps the request from every model."""
    guards: list[Literal["jailbreak", "pii"]]
    """Those in force for this request."""
    price: Price | None
    """Of the selected model, if it has one."""
    baseline_model: str
    """What a cost is compared with."""
    baseline_price: Price | None
    masked_messages: Any = None
    """The messages as the model would see them; null where nothing is masked."""
    metrics: dict[str, float]
    """Milliseconds by kind of signal, of ``decide``, and of ``total``."""


async def _trials(request: Asked) -> Trials:
    trials: Trials = request.app.state.trials
    return trials


@router.post("/eval")
async def evaluate(
    body: Trial,
    engine: EngineNow,
    store: StoreNow,
    services: Serving,
    trials: Annotated[Trials, Depends(_trials)],
    asked: Asked,
) -> Evaluation:
    """Run the router on a request up to the chosen model. Send a ``text``, or ``messages`` as in a chat request.

    With a ``config``, what that configuration would do: it is built beside the one in force, asked, and forgotten.
    """
    tried = Tried(engine, store.in_force)
    if body.config is not None:
        running = Running(engine, store.in_force, services.encoder())
        tried = await trials.build(body.config, running, asked)
    return await _evaluated(body, tried)


async def _evaluated(body: Prompt | Chat, tried: Tried) -> Evaluation:
    engine, started = tried.engine, time.perf_counter()
    document = _document(body, body.model or engine.model_names[0])
    request = chat.read(document)
    said = texts(document)
    routed = await engine.route(heard(request, said), [place.text for place in said])
    decision, selection = routed.decision, routed.selection
    outcome = await _completed(engine, request, routed, routed.outcome) if routed.outcome else None
    models = engine.config.models
    baseline = engine.config.observability.baseline_model or engine.config.routing.default_model
    return Evaluation(
        config=tried.loaded.digest,
        requested_model=request.model,
        routing_decision=decision.name if decision else "",
        decision_result=_decision(routed),
        selected_model=selection.model,
        served_as=_written(tried.loaded, ("models", selection.model, "served_as"), models[selection.model].served_as)
        or selection.model,
        selection_reason=selection.reason,
        reasoning=selection.reasoning,
        effort=selection.effort,
        system_prompt=_system_prompt(tried, routed),
        signals=[SignalRow(**row) for row in signal_rows(engine.policy, outcome)] if outcome else [],
        decisions=[DecisionRow.model_validate(row) for row in decision_rows(engine.policy, outcome)] if outcome else [],
        verdicts=[_verdict(verdict) for verdict in routed.verdicts],
        blocked=routed.blocked is not None,
        guards=[name for name in ("jailbreak", "pii") if getattr(routed.guards, name)],
        price=_price(models[selection.model].pricing),
        baseline_model=baseline,
        baseline_price=_price(models[baseline].pricing) if baseline in models else None,
        masked_messages=_masked(engine, document, said, routed),
        metrics={**_milliseconds(routed), "total": milliseconds(started)},
    )


def _written(loaded: Loaded, place: Place, value: str | None) -> str | None:
    """Show a value as the file writes it, when it came from the environment."""
    return loaded.templates.get(place, value)


def _system_prompt(tried: Tried, routed: Routed) -> str | None:
    if routed.route is None or routed.system_prompt is None:
        return None
    index = tried.engine.config.routing.decisions.index(routed.route)
    return _written(tried.loaded, ("routing", "decisions", index, "system_prompt", "text"), routed.system_prompt.text)


def _price(pricing: Pricing | None) -> Price | None:
    return Price(**pricing.model_dump()) if pricing else None


def _document(body: Prompt | Chat, model: str) -> Document:
    """Write what a client would send."""
    fields: dict[str, Any] = {"model": model}
    if isinstance(body, Prompt):
        fields["messages"] = [{"role": "user", "content": body.text}]
    else:
        fields |= body.model_dump(include={"messages", "tools"})
    return Document.parse(written(fields))


def written(fields: dict[str, Any]) -> bytes:
    """Write a request's body, with half a character as the escape that it came as.

    Raises BadRequest for what JSON cannot say although Python reads it.
    """
    try:
        return to_json(fields).encode()
    except ValueError:
        message = "The body has NaN, an infinity or a number too large for any reader; JSON has none of them."
        raise BadRequest(message, code="invalid_json") from None
    except RecursionError:
        raise BadRequest("The body is nested too deep.", code="invalid_json") from None


async def _completed(engine: Engine, request: Request, routed: Routed, outcome: Outcome) -> Outcome:
    """Measure also what could not change the outcome any more."""
    results = {**routed.signals}
    for kind in sorted(engine.signals.keys() - results.keys()):
        results[kind] = await measure(kind, engine.signals, request)
    return replace(outcome, results=results, skipped={})


def _masked(engine: Engine, document: Document, said: Sequence[TextPlace], routed: Routed) -> object:
    """Show the messages as the model would see them; None where nothing is masked."""
    verdict = next((verdict for verdict in routed.verdicts if verdict.action == "mask"), None)
    if verdict is None or routed.personal is None or routed.blocked:
        return None
    types = masked_types(engine.config.models[routed.selection.model], verdict)
    return mask(document, said, routed.personal.only(types))[0].get("messages")


def _verdict(verdict: Found) -> Verdict:
    return Verdict(
        guard=verdict.guard,
        action=verdict.action,
        found=dict(verdict.found),
        error=verdict.error or None,
        unread_tokens=verdict.unread_tokens,
    )


def _decision(routed: Routed) -> DecisionResult | None:
    if routed.decision is None:
        return None
    rules = routed.outcome.results.keys() if routed.outcome else set[str]()
    return DecisionResult(
        decision_name=routed.decision.name,
        confidence=routed.decision.confidence,
        category=routed.category,
        reasons=list(routed.decision.reasons),
        rejected=list(routed.decision.rejected),
        used_signals=sorted(rules),
        guard_signals=sorted(routed.signals.keys() - rules),
    )


def _milliseconds(routed: Routed) -> dict[str, float]:
    seconds = {**routed.seconds, "decide": routed.decide_seconds}
    return {name: round(value * 1000, 3) for name, value in seconds.items()}
