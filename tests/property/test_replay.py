"""Whatever was measured and done, replayed under the configuration that did it, nothing changes."""

import asyncio
import json
from dataclasses import asdict
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from waypost.config.schema import Config
from waypost.engine import Engine
from waypost.guard.health import GuardHealth
from waypost.guard.personal import Search
from waypost.guard.watch import Watch
from waypost.observe.definitions import definitions_of
from waypost.observe.difference import differs
from waypost.observe.prices import Prices
from waypost.observe.recorded import NO_TEXT
from waypost.observe.records import Described, record_line
from waypost.observe.replay import Replay
from waypost.policy.decide import Policy
from waypost.select.score import ScoreSelector
from waypost.signals.pii import PiiSignal
from waypost.types import Message, Record, Request, SignalResult

ATTACKS = ("jailbreak", "harmful", "indirect")
NOT_TOLD = {
    "the record does not tell whether the prompt was empty or of token ids",
    "needs the signal pii, which could not be measured then",
}


class Attacks:
    """As the real signal, it does not know what to say of nothing."""

    kind, cost = "jailbreak", 0.01

    def __init__(self, result: SignalResult) -> None:
        self._result = result

    async def measure(self, request: Request) -> SignalResult:
        if any(message.text.strip() for message in request.messages):
            return self._result
        return SignalResult("jailbreak", threshold=0.5, unknown=NO_TEXT)


class Personal:
    """Finds the same each time, unless it fails."""

    def __init__(self, results: list[SignalResult]) -> None:
        self._results = results

    async def search(self, texts: Any, thresholds: Any) -> Search:
        if not any(text.strip() for text in texts):
            return Search(((),) * len(texts), SignalResult("pii", threshold=0.5))
        return Search(((),) * len(texts), self._results.pop(0))


def measured(kind: str, scores: dict[str, float], **more: Any) -> SignalResult:
    matched = frozenset(name for name, score in scores.items() if score >= 0.5)
    return SignalResult(kind, matched, scores, 0.5, **more)


probabilities = st.one_of(st.floats(0, 1), st.sampled_from([0.4999999, 0.5, 0.50000004]))
attacks = st.one_of(
    st.just(SignalResult("jailbreak", threshold=0.5, unknown="the queue is full")),
    st.builds(
        lambda scores, skipped: measured("jailbreak", dict(zip(ATTACKS, scores, strict=True)), skipped_tokens=skipped),
        st.tuples(probabilities, probabilities, probabilities),
        st.sampled_from([0, 7]),
    ),
)
personal = st.dictionaries(st.sampled_from(["EMAIL_ADDRESS", "PERSON"]), probabilities).map(
    lambda scores: measured("pii", {name: score for name, score in scores.items() if score >= 0.5})
)
failed = st.just(SignalResult("pii", threshold=0.5, unknown="the queue is full"))
searches = personal.flatmap(
    lambda found: st.lists(st.one_of(st.just(found), st.just(found), failed), min_size=2, max_size=2)
)
requests = st.one_of(
    st.lists(st.sampled_from(["hello", "", " \n"]), max_size=2).map(lambda texts: ("chat", texts)),
    st.lists(st.sampled_from(["hello", ""]), max_size=1).map(lambda texts: ("completions", texts)),
)
leaves = st.sampled_from([{"jailbreak": "jailbreak"}, {"pii": "PERSON"}])
rules = st.one_of(
    leaves, leaves.map(lambda leaf: {"not": leaf}), st.just({"all": [{"jailbreak": "harmful"}, {"pii": "PERSON"}]})
)
errors = st.sampled_from(["block", "allow"])
guards = st.fixed_dictionaries(
    {},
    optional={
        "jailbreak": st.one_of(
            st.builds(lambda act, err: {"action": act, "on_error": err}, st.sampled_from(["block", "log"]), errors),
            st.just({"action": "route", "decision": "last"}),
        ),
        "pii": st.builds(
            lambda act, err: {"action": act, "on_error": err},
            st.sampled_from(["restrict_models", "mask", "block", "log"]),
            errors,
        ),
    },
)


def configured(first: dict[str, Any], guard: dict[str, Any]) -> Config:
    return Config.model_validate(
        {
            "version": 1,
            "models": {
                "open": {"endpoints": [{"url": "http://h:1"}]},
                "safe": {"endpoints": [{"url": "http://h:2"}], "pii": {"allow": ["EMAIL_ADDRESS"]}},
            },
            "routing": {
                "default_model": "open",
                "decisions": [
                    {"name": "first", "priority": 2, "when": first, "models": [{"model": "safe"}]},
                    {"name": "last", "models": [{"model": "safe", "score": 0.1}, {"model": "open"}]},
                ],
            },
            "guard": guard,
        }
    )


async def recorded(config: Config, request: Request, watch: Watch, signals: dict[str, Any]) -> list[Any]:
    """Serve one request, as far as a record needs it, and write it down."""
    engine = Engine(config, Policy(config.routing.decisions), signals, ScoreSelector(), None, watch)  # type: ignore[arg-type]
    routed = await engine.route(request)
    record = Record(
        path="/v1/completions" if request.wire == "completions" else "/v1/chat/completions",
        requested_model=request.model,
        status=200,
        decision=routed.decision,
        selection=None if routed.blocked else routed.selection,
        signals=routed.signals,
        verdicts=routed.verdicts,
    )
    definitions = definitions_of(config)
    described = Described("c", definitions, Prices.of(config), frozenset({"MoM", *config.models}))
    lines = [{"v": 1, "config": "c", "definitions": asdict(definitions)}, record_line(record, described)]
    return [json.loads(json.dumps(line)) for line in lines]


@given(rules, guards, requests, st.sampled_from(["MoM", "open"]), attacks, searches)
def test_the_configuration_that_served_changes_nothing(
    rule: dict[str, Any],
    guard: dict[str, Any],
    asked: tuple[Any, list[str]],
    model: str,
    found: SignalResult,
    searched: list[SignalResult],
) -> None:
    config, (wire, texts) = configured(rule, guard), asked
    request = Request(wire, model, tuple(Message("user", text) for text in texts), "\n".join(texts))
    data: Any = Personal(list(searched))
    signals = {"jailbreak": Attacks(found), "pii": PiiSignal(data)}
    watch = Watch(signals["jailbreak"], data, GuardHealth())  # type: ignore[arg-type]

    async def replayed() -> Any:
        (row,) = await Replay(config).run(await recorded(config, request, watch, signals))
        return row

    row = asyncio.run(replayed())
    if row.after is None:
        assert row.unknown in NOT_TOLD
        assert wire == "completions" or searched[0].unknown
    else:
        assert not differs((row.before, row.after)), (row.before, row.after)
