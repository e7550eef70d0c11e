"""Measurements as a record kept them, made fit for another configuration: the engine asks them like any signal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from waypost.config.guarding import PiiGuard
from waypost.config.schema import Config
from waypost.errors import WaypostError
from waypost.guard.health import GuardHealth
from waypost.guard.personal import Search
from waypost.guard.watch import UNREADABLE, Watch
from waypost.observe.definitions import Definitions, definitions_of
from waypost.types import Request, SignalResult

__all__ = ["NO_TEXT", "Reader", "RecordedSignal", "RecordedWatch", "Untold", "replayable"]

NO_TEXT: Final = "the request has no text"
"""What the signal jailbreak says where nothing is said: unknown to a rule, but a guard has no doubt."""

_BEST_ONLY: Final = ("domain", "language")
"""Signals that match the best of their scores only."""

Json = dict[str, Any]


class Untold(WaypostError):
    """The record does not tell; the message says what is missing."""


@dataclass(frozen=True)
class RecordedSignal:
    """One kind. What was recorded costs nothing, so the plan asks for what is missing only when all depends on it."""

    kind: str
    result: SignalResult | None

    @property
    def cost(self) -> float:
        """Seconds; relative to each other is all that counts."""
        return 0.0 if self.result else 1.0

    async def measure(self, request: Request) -> SignalResult:
        """Return what was recorded. Raises Untold."""
        del request
        if self.result is None:
            raise Untold(f"needs the signal {self.kind}, which the record does not have")
        return self.result


@dataclass(frozen=True)
class RecordedWatch(Watch):
    """The guards, over what was recorded."""

    results: Mapping[str, SignalResult] = field(default_factory=dict)
    verdicts: Mapping[str, Json] = field(default_factory=dict)
    """What each guard said of the request then."""
    wordless: bool | None = False
    """Whether the prompt was of token ids or embeddings; None where the record does not tell."""

    @classmethod
    def of(cls, results: Mapping[str, SignalResult], line: Json | None = None) -> Self:
        """Guards that measure nothing themselves."""
        line = line or {}
        return cls(None, None, GuardHealth(), results, _verdicts(line), _is_wordless(line))

    async def measure(self, request: Request) -> SignalResult:
        """Return the attacks that were found."""
        result = await RecordedSignal("jailbreak", self.results.get("jailbreak")).measure(request)
        if result.unknown != NO_TEXT:
            return result
        if self.wordless is None:
            raise Untold("the record does not tell whether the prompt was empty or of token ids")
        return await super().measure(request)

    async def search(self, texts: Sequence[str], guard: PiiGuard) -> Search:
        """Return the personal data that was found, without its places."""
        del texts, guard
        result = await RecordedSignal("pii", self.results.get("pii")).measure(self.request(""))
        verdict = self.verdicts.get("pii")
        if verdict and verdict["error"]:  # where a rule measured too, what it learnt is not what the guard found
            found = verdict["found"]
            result = replace(result, matched=frozenset(found), scores=found, unknown=verdict["error"])
        elif verdict:
            result = replace(result, unknown="")
        elif result.unknown:
            raise Untold("needs the signal pii, which could not be measured then")
        return Search((), result)

    def request(self, model: str) -> Request:
        """Stand in for the request: without its text, which the record does not have."""
        return Request("completions" if self.wordless else "chat", model, (), "")


class Reader:
    """Reads the measurements of a record as a configuration would have made them of the same text."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._now = definitions_of(config)

    def results(self, line: Json, then: Definitions) -> dict[str, SignalResult]:
        """Return what the record tells. A kind whose classifier or threshold is not comparable is left out."""
        found = {kind: _to_a_rule(_result(kind, row)) for kind, row in line.get("signals", {}).items()}
        _add_found(found, _verdicts(line))
        read = {kind: self._read(result, then) for kind, result in found.items()}
        return {kind: result for kind, result in read.items() if result}

    def untold_names(self, kind: str, then: Definitions) -> frozenset[str]:
        """Return the names that are defined now, and were not or otherwise."""
        before = then.names.get(kind, {})
        return frozenset(name for name, digest in self._now.names.get(kind, {}).items() if before.get(name) != digest)

    def _read(self, result: SignalResult, then: Definitions) -> SignalResult | None:
        kind = result.kind
        if kind == "keyword":
            return _without(result, self.untold_names(kind, then))
        if kind == "length":
            return self._length(result)
        if then.models.get(kind) != self._now.models.get(kind):
            return None
        return _at(result, then.thresholds.get(kind), self._now.thresholds.get(kind))

    def _length(self, result: SignalResult) -> SignalResult | None:
        """Judge the recorded estimate by the bands that are configured now."""
        tokens = max(result.scores.values(), default=None)
        if tokens is None:
            return None
        bands = self._config.routing.signals.lengths
        matched = {
            band.name
            for band in bands
            if band.min_tokens <= tokens and (band.max_tokens is None or tokens <= band.max_tokens)
        }
        return SignalResult("length", frozenset(matched), dict.fromkeys((band.name for band in bands), tokens))


def replayable(line: Json) -> bool:
    """Whether the request came as far as to be routed: else it failed before, or the client went."""
    return line["decision"] is not None or "model" in line or bool(_verdicts(line))


def _verdicts(line: Json) -> dict[str, Json]:
    """Return what the guards said of the request, by guard."""
    return {verdict["guard"]: verdict for verdict in line.get("guards", ()) if not verdict.get("in_answer")}


def _is_wordless(line: Json) -> bool | None:
    """Tell it from what guards said: the prompt itself was not recorded."""
    said = [verdict["error"] for verdict in _verdicts(line).values()]
    if UNREADABLE in (*said, *(row.get("unknown") for row in line.get("signals", {}).values())):
        return True
    return None if line.get("path") == "/v1/completions" else False


def _to_a_rule(result: SignalResult) -> SignalResult:
    """Turn what only a guard measured into what a rule would have: they differ where nothing is said."""
    if result.kind == "jailbreak" and not result.scores and result.unknown in ("", UNREADABLE):
        return replace(result, unknown=NO_TEXT)
    return replace(result, unknown="") if result.kind == "pii" and result.unknown == UNREADABLE else result


def _result(kind: str, row: Json) -> SignalResult:
    return SignalResult(
        kind,
        frozenset(row.get("matched", ())),
        row.get("scores", {}),
        row.get("threshold"),
        row.get("unknown", ""),
        frozenset(row.get("unknown_names", ())),
        row.get("skipped_tokens", 0),
    )


def _add_found(results: dict[str, SignalResult], verdicts: Mapping[str, Json]) -> None:
    """Where a rule measured too, its result stands in the record, and what the guard found beyond in the verdict."""
    for guard, verdict in verdicts.items():
        if known := results.get(guard):
            results[guard] = replace(known, scores={**verdict["found"], **known.scores})


def _without(result: SignalResult, untold: frozenset[str]) -> SignalResult:
    return replace(result, matched=result.matched - untold, unknown_names=result.unknown_names | untold)


def _at(result: SignalResult, then: float | None, now: float | None) -> SignalResult | None:
    """Judge the scores by another threshold; None where the new one is the classifier's own, which is not recorded."""
    if now == then or result.unknown:
        return result
    if now is None:
        return None
    names = {name for name, score in result.scores.items() if score >= now}
    if result.kind in _BEST_ONLY and names:
        names = {max(names, key=result.scores.__getitem__)}
    return replace(result, matched=frozenset(names), threshold=now)
