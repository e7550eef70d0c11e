"""What another configuration would have made of recorded requests, without their text.

The engine itself judges rules and guards again, on the recorded measurements. What those cannot tell is said and not
guessed. Token counts are taken over, although another model would have written another answer: costs are estimates.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from waypost.config.schema import Config
from waypost.engine import Engine, Routed
from waypost.errors import DataError
from waypost.observe.definitions import Definitions
from waypost.observe.prices import Prices
from waypost.observe.recorded import Reader, RecordedSignal, RecordedWatch, Untold, replayable
from waypost.observe.records import FORMAT
from waypost.policy.decide import Policy
from waypost.policy.rules import evaluate, leaves_of
from waypost.select.score import ScoreSelector
from waypost.types import Record, RequestHead, SignalResult, Usage

__all__ = ["Outcome", "Replay", "Replayed", "read_lines"]

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became, or would have become, of one request."""

    decision: str | None
    """Empty when none held; None when the client named a model."""
    model: str | None
    guards: Mapping[str, str] = field(default_factory=dict)
    """Guard → what it did about the request; one that did nothing is absent."""
    cost: tuple[str, float] | None = None
    """Currency and amount; None without a price or without an answer."""

    @property
    def blocked(self) -> bool:
        """Whether a guard stopped the request."""
        return "block" in self.guards.values()


@dataclass(frozen=True, slots=True)
class Replayed:
    """One request under both configurations."""

    request_id: str
    before: Outcome
    after: Outcome | None
    """None when the record does not tell."""
    unknown: str = ""
    """What is missing then."""


def read_lines(lines: Iterable[str], name: str) -> Iterator[Json]:
    """Parse a file of records. Raises DataError with the line that is not one."""
    for number, text in enumerate(lines, 1):
        try:
            line = json.loads(text)
        except ValueError:
            line = None
        if not isinstance(line, dict) or line.get("v") != FORMAT or not {"of", "config"} & line.keys():
            raise DataError(f"{name}:{number}: is no record of format {FORMAT}")
        yield line


class Replay:
    """Judges records under one configuration."""

    def __init__(self, config: Config) -> None:
        policy, nothing = Policy(config.routing.decisions), RecordedWatch.of({})
        self._engine = Engine(config, policy, {}, ScoreSelector(), _Unobserved(), nothing)
        self._reader = Reader(config)
        self._prices = Prices.of(config)

    async def run(self, lines: Iterable[Json]) -> list[Replayed]:
        """Replay lines in the order of the file. Each record's configuration must stand before it, or DataError."""
        described: dict[str, Definitions] = {}
        replayed = []
        for line in lines:
            if "config" in line:
                described[line["config"]] = Definitions(**line["definitions"])
            elif line["of"] in described:
                replayed.append(await self._replay(line, described[line["of"]]))
            else:
                raise DataError(f"the record {line.get('id')} comes before the line that describes its configuration")
        return replayed

    async def _replay(self, line: Json, then: Definitions) -> Replayed:
        request_id, before = line.get("id", ""), _before(line)
        if not replayable(line):
            return Replayed(request_id, before, None, "was not routed then")
        try:
            return Replayed(request_id, before, self._outcome(await self._route(line, then), line))
        except Untold as error:
            return Replayed(request_id, before, None, str(error))

    async def _route(self, line: Json, then: Definitions) -> Routed:
        requested = line.get("requested", "")
        if requested not in self._engine.model_names:
            raise Untold(f"{requested or 'what the client named'} is no model of this configuration")
        results = self._reader.results(line, then)
        kinds = {leaf.kind for rule in self._engine.policy.rules for leaf in leaves_of(rule)}
        signals = {kind: RecordedSignal(kind, results.get(kind)) for kind in kinds}
        watch = RecordedWatch.of(results, line)
        routed = await replace(self._engine, signals=signals, watch=watch).route(watch.request(requested))
        if routed.outcome:
            self._require_told(routed.outcome.route, results, then)
        return routed

    def _require_told(self, route: object, results: Mapping[str, SignalResult], then: Definitions) -> None:
        """Raise Untold when a rule was passed over only because a name is defined otherwise now."""
        for decision, rule in zip(self._engine.policy.decisions, self._engine.policy.rules, strict=True):
            if decision is route:
                return
            if evaluate(rule, results) is None:
                for leaf in leaves_of(rule):
                    if untold := self._reader.untold_names(leaf.kind, then).intersection(leaf.names):
                        raise Untold(f"needs {leaf.kind} {min(untold)}, which is new or defined otherwise")

    def _outcome(self, routed: Routed, line: Json) -> Outcome:
        guards: dict[str, str] = {verdict.guard: verdict.action for verdict in routed.verdicts}
        decision = routed.decision.name if routed.decision else None
        outcome = Outcome(decision, None if routed.blocked else routed.selection.model, guards)
        if outcome.blocked or "tokens" not in line:
            return outcome
        cost = self._prices.cost(routed.selection.model, Usage(*line["tokens"]))
        return replace(outcome, cost=(cost.currency, cost.amount)) if cost else outcome


class _Unobserved:
    """A replayed request is none that is served."""

    def begin(self, head: RequestHead) -> None:
        del head

    def observe(self, record: Record) -> None:
        del record


def _before(line: Json) -> Outcome:
    guards = {verdict["guard"]: verdict["action"] for verdict in line.get("guards", ()) if not verdict.get("in_answer")}
    cost = line.get("cost")
    return Outcome(line["decision"], line.get("model"), guards, (cost[0], cost[1]) if cost else None)
