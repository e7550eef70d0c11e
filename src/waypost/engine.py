"""One configuration at work: from a request that was understood to the model that will answer, guards included.

:mod:`waypost.exchange` goes through the steps of one HTTP request with it. No other module knows the order of things.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from random import Random
from typing import Final, Protocol

from waypost.cache.cache import Cache
from waypost.config.schema import Config
from waypost.errors import UnknownModel
from waypost.exchange import Exchange
from waypost.guard.permission import may_see
from waypost.guard.scope import every, in_force
from waypost.guard.watch import Watch
from waypost.policy.decide import Policy
from waypost.routed import Routed
from waypost.select.base import Selector
from waypost.select.endpoint import destination
from waypost.signals.base import Signal
from waypost.tools.selection import ToolSelector
from waypost.types import Decision, Record, Request, RequestHead, Selection, SignalResult, Trace, Verdict
from waypost.wire.headers import DESTINATION

__all__ = ["Engine", "Exchange", "Observer", "Routed"]

_DECIDING: Final = {"models", "reasoning_families", "encoder", "classifiers", "routing", "guard", "tools"}
_GUARDED: Final = frozenset({"jailbreak", "pii"})


class Observer(Protocol):
    """Is told when a request begins and when it is over. Must be quick and must not raise."""

    def begin(self, head: RequestHead) -> Trace | None:
        """Take note of a request that begins, and say how its trace goes on."""
        ...

    def observe(self, record: Record) -> None:
        """Take one finished request."""
        ...


@dataclass(frozen=True)
class Engine:
    """One configuration, ready to serve. A reload builds a new one beside it."""

    config: Config
    policy: Policy
    signals: Mapping[str, Signal]
    selector: Selector
    observer: Observer
    watch: Watch
    cache: Cache | None = None
    tools: ToolSelector | None = None
    api_keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Per model, for those whose backend wants one."""
    created: int = 0
    """Unix seconds, for the model list."""
    clock: Callable[[], float] = time.perf_counter
    wall: Callable[[], float] = time.time
    random: Random = field(default_factory=Random)

    def open(self, head: RequestHead) -> Exchange:
        """Begin one request."""
        return Exchange(self, head)

    @property
    def model_names(self) -> tuple[str, ...]:
        """All names a client may send, the virtual ones first."""
        return (*self.config.routing.virtual_models, *self.config.models)

    @cached_property
    def policy_digest(self) -> str:
        """Digest of all that an answer depends on: what the configuration says, and the tools that it names."""
        deciding = self.config.model_dump_json(include=_DECIDING)
        database = self.tools.digest if self.tools else ""
        return blake2b(f"{deciding}{database}".encode(), digest_size=16).hexdigest()

    @cached_property
    def listens(self) -> bool:
        """Whether a guard or a rule looks at more of a request than its messages."""
        guarded = any(guards.jailbreak or guards.pii for guards in every(self.config))
        return guarded or not _GUARDED.isdisjoint(self.signals)

    async def route(self, request: Request, said: Sequence[str] | None = None) -> Routed:
        """Choose the model, unless a guard blocks the request.

        ``said``: the texts that a guard searches for personal data; None: those of the messages. Raises UnknownModel
        for a name that is neither virtual nor in the pool.
        """
        routed = await self._against_attacks(await self._decided(request), request)
        if not routed.blocked:
            texts = [message.text for message in request.messages] if said is None else said
            routed = await self._for_privacy(routed, request, texts)
        return self._selected(routed)

    async def _decided(self, request: Request) -> Routed:
        routing = self.config.routing
        if request.model not in routing.virtual_models and routing.explicit_models == "pass":
            if request.model not in self.config.models:
                raise UnknownModel(request.model, self.model_names)
            named = Selection(request.model, None, "named by the client")
            return Routed(named, guards=in_force(self.config.guard, None))
        outcome = await self.policy.decide(self.signals, request)
        default = Selection(routing.default_model, None, "the default model: no decision held")
        guards = in_force(self.config.guard, outcome.route.guard if outcome.route else None)
        return Routed(default, outcome, outcome.decision, outcome.route, outcome.results, outcome.seconds, guards)

    async def _against_attacks(self, routed: Routed, request: Request) -> Routed:
        guard = routed.guards.jailbreak
        if guard is None:
            return routed
        started = self.clock()
        result, verdict = await self.watch.jailbreak(guard, request, routed.signals.get("jailbreak"))
        routed = _measured(routed, result, self.clock() - started)
        if verdict is None:
            return routed
        routed = replace(routed, verdicts=(verdict,))
        return self._taken_over(routed, guard.decision, verdict) if verdict.action == "route" else routed

    def _taken_over(self, routed: Routed, name: str | None, verdict: Verdict) -> Routed:
        """Let the decision that a guard names replace the one that won."""
        (route,) = (decision for decision in self.config.routing.decisions if decision.name == name)
        kind, score = next(iter(verdict.found.items()))
        decision = Decision(route.name, (f"the guard found {kind} ({score:.2f})",), score)
        return replace(routed, decision=decision, route=route, guards=in_force(self.config.guard, route.guard))

    async def _for_privacy(self, routed: Routed, request: Request, said: Sequence[str]) -> Routed:
        guard = routed.guards.pii
        if guard is None:
            return routed
        started = self.clock()
        search, verdict = await self.watch.pii(guard, request, said)
        routed = replace(_measured(routed, search.result, self.clock() - started), personal=search)
        return replace(routed, verdicts=(*routed.verdicts, verdict)) if verdict else routed

    def _selected(self, routed: Routed) -> Routed:
        """Take a model of the decision, of those that may see what was found; block when none may."""
        limit = next((verdict for verdict in routed.verdicts if verdict.action == "restrict_models"), None)
        models = self.config.models
        if routed.route:
            allowed = [each for each in routed.route.models if limit is None or may_see(models[each.model], limit)]
            routed = replace(routed, selection=self.selector.select(allowed or routed.route.models))
        if limit is None or may_see(models[routed.selection.model], limit):
            return routed
        blocked = (replace(each, action="block") if each is limit else each for each in routed.verdicts)
        return replace(routed, verdicts=tuple(blocked))

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


def _measured(routed: Routed, result: SignalResult, seconds: float) -> Routed:
    """Add what a guard measured; what a rule had measured of that kind stays."""
    spent = {**routed.seconds, result.kind: routed.seconds.get(result.kind, 0.0) + seconds}
    return replace(routed, signals={result.kind: result, **routed.signals}, seconds=spent)
