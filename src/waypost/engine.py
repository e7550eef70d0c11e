"""The pipeline: the only module that knows the order of things.

Sans-IO: ExtProc, the CLI and tests are callers of the same few methods. One :class:`Exchange` is one HTTP request
and its answer::

    exchange = engine.open(head)
    exchange.on_headers()            -> Reply | Forward | None (None: give me the body)
    await exchange.on_body(body)     -> Reply | Forward
    exchange.on_response_start(head) -> ResponseStart
    exchange.on_chunk(data)          -> None      (every piece of the answer's body, if it asked for them)
    exchange.on_end(aborted=False)   -> None      (always, exactly once)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Final, Protocol

from waypost.config.schema import Config, DecisionConfig, SystemPrompt
from waypost.errors import MethodNotAllowed, RequestError, UnknownModel
from waypost.policy.decide import Outcome, Policy
from waypost.select.base import Selector
from waypost.select.endpoint import destination
from waypost.signals.base import Signal
from waypost.types import (
    Decision,
    Forward,
    Record,
    Reply,
    Request,
    RequestHead,
    ResponseHead,
    ResponseStart,
    Selection,
    SignalResult,
)
from waypost.wire import actions, answers, chat, completions, headers
from waypost.wire.document import Document
from waypost.wire.edits import Edits
from waypost.wire.headers import DEBUG, DESTINATION, SELECTED_MODEL
from waypost.wire.usage import UsageReader

__all__ = ["Engine", "Exchange", "Observer", "Routed"]

_CHAT: Final = "/v1/chat/completions"
_READERS: Final = {_CHAT: chat.read, "/v1/completions": completions.read}
_MODELS: Final = "/v1/models"


class Observer(Protocol):
    """Is told when a request begins and when it is over. Must be quick and must not raise."""

    def begin(self) -> None:
        """Take note of a request that begins."""
        ...

    def observe(self, record: Record) -> None:
        """Take one finished request."""
        ...


@dataclass(frozen=True, slots=True)
class Routed:
    """Where one request goes, and why."""

    selection: Selection
    outcome: Outcome | None = None
    """What the policy found; None when the client named a model of the pool."""

    @property
    def decision(self) -> Decision | None:
        """The decision that won; None when the client named a model of the pool."""
        return self.outcome.decision if self.outcome else None

    @property
    def signals(self) -> Mapping[str, SignalResult]:
        """What was measured, by kind."""
        return self.outcome.results if self.outcome else {}

    @property
    def category(self) -> str:
        """The domain that the text was found to be in; empty when it was not asked or not clear."""
        domain = self.signals.get("domain")
        return next(iter(domain.matched), "") if domain else ""

    @property
    def system_prompt(self) -> SystemPrompt | None:
        """The route's own system prompt."""
        route = self.outcome.route if self.outcome else None
        return route.system_prompt if route else None


@dataclass(frozen=True)
class Engine:
    """One configuration, ready to serve. A reload builds a new one beside it."""

    config: Config
    policy: Policy
    signals: Mapping[str, Signal]
    selector: Selector
    observer: Observer
    api_keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Per model, for those whose backend wants one."""
    created: int = 0
    """Unix seconds, for the model list."""
    clock: Callable[[], float] = time.perf_counter
    random: Random = field(default_factory=Random)

    def open(self, head: RequestHead) -> Exchange:
        """Begin one request."""
        return Exchange(self, head)

    @property
    def model_names(self) -> tuple[str, ...]:
        """All names a client may send, the virtual ones first."""
        return (*self.config.routing.virtual_models, *self.config.models)

    async def route(self, request: Request) -> Routed:
        """Choose the model. Raises UnknownModel for a name that is neither virtual nor in the pool."""
        routing = self.config.routing
        if request.model not in routing.virtual_models and routing.explicit_models == "pass":
            if request.model not in self.config.models:
                raise UnknownModel(request.model, self.model_names)
            return Routed(Selection(request.model, None, "named by the client"))
        outcome = await self.policy.decide(self.signals, request)
        return Routed(self._select(outcome.route), outcome)

    def _select(self, route: DecisionConfig | None) -> Selection:
        if route is None:
            return Selection(self.config.routing.default_model, None, "the default model: no decision held")
        return self.selector.select(route.models)

    def address(self, model: str) -> list[tuple[str, str]]:
        """The header that names the model's server, where that is ours to choose and not Envoy's."""
        endpoints = self.config.models[model].endpoints
        if len(endpoints) > 1 and self.config.envoy.upstream != "original_dst":
            return []
        return [(DESTINATION, destination(endpoints, self.random))]

    def key(self, model: str) -> list[tuple[str, str]]:
        """The header with the backend's key, for a model that has one."""
        key = self.api_keys.get(model)
        return [("authorization", f"Bearer {key}")] if key else []


class Exchange:
    """One request on its way through the pipeline, and its answer on the way back."""

    def __init__(self, engine: Engine, head: RequestHead) -> None:
        engine.observer.begin()
        self._engine = engine
        self._head = head
        self._began = engine.clock()
        self._requested = ""
        self._routed: Routed | None = None
        self._router_seconds = 0.0
        self._status = 0
        self._error = ""
        self._usage: UsageReader | None = None
        self._first_token: float | None = None

    def on_headers(self) -> Reply | Forward | None:
        """Answer, pass on, or return None to ask for the body."""
        path, method = self._head.path, self._head.method
        if path in _READERS:
            return None if method == "POST" else self._refuse(MethodNotAllowed(method, path))
        if path == _MODELS and method == "GET":
            self._status = 200
            return answers.model_list(self._engine.model_names, self._engine.created)
        # What is not ours passes through, to the default model's backend. Without our key: it opens models to our
        # clients, not the files and settings of the account behind it.
        model = self._engine.config.routing.default_model
        return Forward(((SELECTED_MODEL, model), *self._engine.address(model)), (DEBUG,))

    async def on_body(self, body: bytes) -> Reply | Forward:
        """Route one whole request body."""
        clock = self._engine.clock
        started = clock()
        try:
            document = Document.parse(body)
            request = _READERS[self._head.path](document)
            self._requested = request.model
            self._routed = await self._engine.route(request)
        except RequestError as error:
            return self._refuse(error)
        finally:
            self._router_seconds = clock() - started
        return self._forward(document, request, self._routed)

    def _forward(self, document: Document, request: Request, routed: Routed) -> Forward:
        model = routed.selection.model
        return Forward(
            set_headers=(
                *headers.for_backend(routed.decision, routed.selection, routed.category),
                *self._engine.address(model),
                *self._engine.key(model),
                ("accept-encoding", "identity"),  # usage is read from the answer
            ),
            remove_headers=(DEBUG,),
            body=self._edit(document, request, routed),
        )

    def _edit(self, document: Document, request: Request, routed: Routed) -> bytes | None:
        """The new body; None when nothing had to change."""
        config = self._engine.config
        model = config.models[routed.selection.model]
        edits = Edits(document)
        served_as = model.served_as or routed.selection.model
        if served_as != request.model:
            actions.set_model(edits, served_as)
        if request.wire == "chat":
            if prompt := routed.system_prompt:
                actions.set_system_prompt(edits, prompt.text, prompt.mode)
            if routed.selection.reasoning is not None and model.reasoning_family:
                family = config.reasoning_families[model.reasoning_family]
                actions.set_reasoning(edits, family, on=routed.selection.reasoning, effort=routed.selection.effort)
        return edits.render() if edits else None

    def _refuse(self, error: RequestError) -> Reply:
        self._status, self._error = error.status, error.code or error.type
        return answers.from_exception(error)

    def on_response_start(self, head: ResponseHead) -> ResponseStart:
        """The head of the backend's answer (or of Envoy's own error)."""
        self._status = head.status
        if self._routed is None:
            return ResponseStart()
        read_body = head.status < 300 and "content-encoding" not in head.headers
        if read_body:
            self._usage = UsageReader(head.headers.get("content-type", ""))
        return ResponseStart(tuple(self._client_headers(self._routed, head)), read_body=read_body)

    def _client_headers(self, routed: Routed, head: ResponseHead) -> list[tuple[str, str]]:
        decision, selection = routed.decision, routed.selection
        prompted = routed.system_prompt is not None and self._head.path == _CHAT
        found = headers.for_client(decision, selection, routed.category, system_prompt=prompted)
        signals, decide = _seconds(routed)
        timing = headers.server_timing(sum(signals.values()), decide, self._router_seconds)
        backend = head.headers.get(headers.SERVER_TIMING)
        found.append((headers.SERVER_TIMING, f"{backend}, {timing}" if backend else timing))
        if self._head.headers.get(DEBUG) == "true":
            found += headers.for_debugging(decision, selection, routed.signals)
        return found

    def on_chunk(self, data: bytes) -> None:
        """Look at a piece of the answer; it passes to the client untouched."""
        if self._usage is None:
            return
        self._usage.feed(data)
        if self._first_token is None and self._usage.first_token:
            self._first_token = self._engine.clock() - self._began

    def on_end(self, *, aborted: bool) -> None:
        """The exchange is over; tell the observer."""
        routed = self._routed
        signal_seconds, decide_seconds = _seconds(routed)
        self._engine.observer.observe(
            Record(
                path=self._head.path,
                requested_model=self._requested,
                status=self._status,
                decision=routed.decision if routed else None,
                selection=routed.selection if routed else None,
                signals=routed.signals if routed else {},
                signal_seconds=signal_seconds,
                decide_seconds=decide_seconds,
                router_seconds=self._router_seconds,
                total_seconds=self._engine.clock() - self._began,
                first_token_seconds=self._first_token,
                usage=self._usage.result() if self._usage else None,
                error=self._error,
                aborted=aborted,
            )
        )


def _seconds(routed: Routed | None) -> tuple[Mapping[str, float], float]:
    """Time per signal, and for deciding."""
    outcome = routed.outcome if routed else None
    return (outcome.seconds, outcome.decide_seconds) if outcome else ({}, 0.0)
