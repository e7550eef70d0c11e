"""Replay: what is known is judged by the engine itself, and what is not known is said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from waypost.errors import DataError
from waypost.observe.definitions import definitions_of
from waypost.observe.difference import Difference, Expectation
from waypost.observe.prices import Prices
from waypost.observe.records import FORMAT, Described, record_line
from waypost.observe.replay import Replay, read_lines
from waypost.types import SignalResult, Verdict

ROUTING = {
    "default_model": "small",
    "signals": {"keywords": [{"name": "sum", "any": ["sum"]}]},
    "decisions": [
        {"name": "calculate", "when": {"domain": "math"}, "models": [{"model": "large"}], "priority": 2},
        {"name": "add", "when": {"keyword": "sum"}, "models": [{"model": "free"}], "priority": 1},
    ],
}


def routing(**changes):
    return {**ROUTING, **changes}


def decision(name, when, model, **more):
    return {"name": name, "when": when, "models": [{"model": model}], **more}


@pytest.fixture
def replayed(record, make_config):
    """``await replayed({sections}, **changes)``: one record, under a configuration with other sections."""

    async def run(sections: dict, **changes):
        old = make_config()
        described = Described("old", definitions_of(old), Prices.of(old), frozenset({"MoM", *old.models}))
        definitions = {name: getattr(described.definitions, name) for name in ("names", "models", "thresholds")}
        lines = [{"v": 1, "config": "old", "definitions": definitions}]
        lines.append(record_line(replace(record, **changes), described))
        (row,) = await Replay(make_config(**sections)).run(lines)
        return row

    return run


async def test_the_same_configuration_changes_nothing(replayed):
    row = await replayed({})
    assert row.before == row.after
    assert (row.after.model, row.after.decision, row.after.cost) == ("large", "calculate", ("USD", 3.000066))


CHANGES = {
    "another threshold, not reached": (
        {"classifiers": {"domain": {"threshold": 0.95}}},
        "free", "add",
    ),
    "another threshold, reached": ({"classifiers": {"domain": {"threshold": 0.8}}}, "large", "calculate"),
    "another order": (
        {"routing": routing(decisions=[decision("add", {"keyword": "sum"}, "free"), *ROUTING["decisions"][:1]][::-1])},
        "large", "calculate",
    ),
    "another model": (
        {"routing": routing(decisions=[decision("calculate", {"domain": "math"}, "euro")])},
        "euro", "calculate",
    ),
    "no decision": ({"routing": routing(decisions=[])}, "small", ""),
    "a rule on what was not found": (
        {"routing": routing(decisions=[decision("law", {"domain": "law"}, "euro")])},
        "small", "",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("sections", "model", "decision"), CHANGES.values(), ids=CHANGES)
async def test_rules_are_judged_again(replayed, sections, model, decision):
    row = await replayed(sections)
    assert row.after is not None, row.unknown
    assert (row.after.model, row.after.decision) == (model, decision)


UNKNOWN = {
    "a signal that was not measured": (
        {"routing": routing(decisions=[decision("zh", {"language": "zh"}, "euro")])},
        {}, "needs the signal language, which the record does not have",
    ),
    "another classifier": (
        {"classifiers": {"domain": {"model": "/models/mine"}}},
        {}, "needs the signal domain, which the record does not have",
    ),
    "a keyword that changed": (
        {"routing": routing(
            signals={"keywords": [{"name": "sum", "any": ["sum", "add"]}]},
            decisions=[decision("add", {"keyword": "sum"}, "free")],
        )},
        {}, "needs keyword sum, which is new or defined otherwise",
    ),
    "a model that is gone": (
        {"models": {"small": {"endpoints": [{"url": "http://h:1"}]}}, "routing": {"default_model": "small"}},
        {"requested_model": "large", "decision": None, "signals": {}}, "large is no model of this configuration",
    ),
    "a guard that did not listen": (
        {"guard": {"jailbreak": {}}},
        {}, "needs the signal jailbreak, which the record does not have",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("sections", "changes", "unknown"), UNKNOWN.values(), ids=UNKNOWN)
async def test_what_cannot_be_known_is_said(replayed, sections, changes, unknown):
    row = await replayed(sections, **changes)
    assert (row.after, row.unknown) == (None, unknown)


async def test_a_keyword_that_changed_matters_only_where_it_decides(replayed):
    signals = {"keywords": [{"name": "sum", "any": ["sum", "add"]}]}
    row = await replayed({"routing": routing(signals=signals)})
    assert (row.unknown, row.after.decision) == ("", "calculate")


async def test_lengths_are_judged_by_their_new_bands(replayed):
    signals = {"lengths": [{"name": "long", "min_tokens": 100}]}
    sections = {"routing": routing(signals=signals, decisions=[decision("long", {"length": "long"}, "euro")])}
    measured = {"length": SignalResult("length", frozenset(), {"other": 500.0})}
    assert (await replayed(sections, signals=measured)).after.model == "euro"


ATTACK = SignalResult("jailbreak", frozenset({"jailbreak"}), {"jailbreak": 0.8, "harmful": 0.1, "indirect": 0.0}, 0.5)
EMAIL = SignalResult("pii", frozenset({"EMAIL_ADDRESS"}), {"EMAIL_ADDRESS": 0.9}, 0.5)

GUARDS = {
    "blocks": ({"jailbreak": {"action": "block"}}, {"jailbreak": "block"}, None),
    "blocks less": ({"jailbreak": {"action": "block", "threshold": 0.9}}, {}, "large"),
    "only logs": ({"jailbreak": {"action": "log"}}, {"jailbreak": "log"}, "large"),
    "masks": ({"pii": {"action": "mask"}}, {"pii": "mask"}, "large"),
    "both": ({"jailbreak": {"action": "log"}, "pii": {"action": "block"}}, {"jailbreak": "log", "pii": "block"}, None),
}


@pytest.mark.parametrize(("guard", "actions", "model"), GUARDS.values(), ids=GUARDS)
async def test_guards_are_judged_again(replayed, record, guard, actions, model):
    row = await replayed({"guard": guard}, signals={**record.signals, "jailbreak": ATTACK, "pii": EMAIL})
    assert row.after is not None, row.unknown
    assert (row.after.guards, row.after.model) == (actions, model)


async def test_a_request_that_was_blocked_has_no_cost_to_compare(replayed, record):
    row = await replayed(
        {},
        signals={**record.signals, "jailbreak": ATTACK},
        verdicts=(Verdict("jailbreak", "block", {"jailbreak": 0.8}),),
        selection=None,
        usage=None,
    )
    assert (row.before.blocked, row.after.blocked, row.after.cost) == (True, False, None)
    difference = Difference.of([row])
    assert (difference.no_longer_blocked, difference.costs) == (1, {})


async def test_a_difference(replayed):
    rows = [await replayed({}), await replayed(CHANGES["no decision"][0])]
    rows.append(await replayed(UNKNOWN["another classifier"][0]))
    difference = Difference.of(rows)
    assert (difference.requests, difference.changed) == (3, 1)
    assert difference.models == {("large", "small"): 1}
    assert difference.decisions == {("calculate", "none"): 1}
    assert sum(difference.unknown.values()) == 1
    assert difference.costs == {"USD": (pytest.approx(6.000132), pytest.approx(4.000088))}
    for text, holds in {
        "model_changed<=1": True,
        "model_changed<1": False,
        "model_changed<=50%": True,
        "changed < 50%": False,
        "unknown==1": True,
        "cost_change<=-30%": True,
        "newly_blocked>=1": False,
    }.items():
        assert Expectation.parse(text).holds(difference) is holds, text


@pytest.mark.parametrize("text", ["", "changed", "changed<=", "models<=1", "changed<=x", "changed=1"])
def test_an_expectation_that_is_none(text):
    with pytest.raises(DataError, match="cannot read the expectation"):
        Expectation.parse(text)


@pytest.mark.parametrize("text", ["nonsense", "[]", "{}", '{"v": 99, "of": "x"}'])
def test_a_line_that_is_no_record(text):
    good = f'{{"v": {FORMAT}, "of": "x"}}'
    with pytest.raises(DataError, match=r"records\.jsonl:2: is no record of format 1"):
        list(read_lines([good, text], "records.jsonl"))


async def test_a_record_without_its_configuration(make_config):
    with pytest.raises(DataError, match="comes before the line that describes its configuration"):
        await Replay(make_config()).run([{"v": 1, "of": "x", "id": "r"}])
