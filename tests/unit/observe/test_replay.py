"""Replay: what is known is judged by the engine itself, and what is not known is said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from waypost.config.schema import Encoder
from waypost.errors import DataError
from waypost.observe.definitions import definitions_of
from waypost.observe.difference import Difference, Expectation
from waypost.observe.prices import Prices
from waypost.observe.recorded import NO_TEXT
from waypost.observe.records import FORMAT, Described, record_line
from waypost.observe.replay import Outcome, Replay, Replayed, read_lines
from waypost.signals.conversation import ConversationReader
from waypost.signals.jailbreak import JailbreakSignal
from waypost.types import Message, Request, SignalResult, Verdict

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


NOTHING_SAID = SignalResult("jailbreak", unknown=NO_TEXT, threshold=0.5)
ON_ATTACKS = {"routing": routing(decisions=[decision("attack", {"jailbreak": "jailbreak"}, "euro")])}
UNREAD = Verdict("jailbreak", "block", {}, "the prompt has no text that can be read")


async def test_the_signal_says_what_is_looked_for():
    silent = Request("chat", "MoM", (Message("user", ""),), "")
    signal = JailbreakSignal(
        ConversationReader(None, deadline=1.0, max_windows=Encoder().max_windows), 0.5, stop_early=False
    )  # type: ignore[arg-type]
    assert (await signal.measure(silent)).unknown == NO_TEXT


@pytest.mark.parametrize("measured", [NOTHING_SAID, SignalResult("jailbreak")], ids=["by a rule", "by a guard"])
async def test_pictures_alone_are_no_reason_for_a_guard_to_block(replayed, record, measured):
    signals = {**record.signals, "jailbreak": measured}
    row = await replayed({"guard": {"jailbreak": {"action": "block"}}, **ON_ATTACKS}, signals=signals)
    assert (row.after.guards, row.after.decision, row.after.model) == ({}, "", "small")


async def test_token_ids_are_blocked_as_they_were(replayed, record):
    changes = {"signals": {"jailbreak": NOTHING_SAID}, "verdicts": (UNREAD,), "path": "/v1/completions"}
    row = await replayed({"guard": {"jailbreak": {"action": "block"}}, **ON_ATTACKS}, selection=None, **changes)
    assert row.before.guards == row.after.guards == {"jailbreak": "block"}


async def test_an_empty_prompt_and_token_ids_cannot_be_told_apart(replayed, record):
    changes = {"signals": {**record.signals, "jailbreak": NOTHING_SAID}, "path": "/v1/completions"}
    row = await replayed({"guard": {"jailbreak": {"action": "block"}}}, **changes)
    assert (row.after, row.unknown) == (None, "the record does not tell whether the prompt was empty or of token ids")


async def test_a_guard_that_failed_where_a_rule_could_tell(replayed, record):
    changes = {
        "signals": {**record.signals, "pii": SignalResult("pii", threshold=0.5)},
        "verdicts": (Verdict("pii", "block", {}, "the queue is full"),),
    }
    row = await replayed({"guard": {"pii": {"action": "block"}}}, selection=None, **changes)
    assert row.before.guards == row.after.guards == {"pii": "block"}


async def test_what_was_not_routed_is_not_judged(replayed):
    row = await replayed({}, decision=None, selection=None, signals={}, status=400, error="too_many_texts")
    assert (row.after, row.unknown) == (None, "was not routed then")


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


def costing(currency, before, after):
    return Replayed("", Outcome("d", "m", {}, (currency, before)), Outcome("d", "m", {}, after and (currency, after)))


@pytest.mark.parametrize(
    ("text", "holds"),
    [("cost_change<=0", False), ("cost_change<=20%", True), ("cost_change<=9", False), ("cost_change<=10", True)],
)
def test_each_currency_has_its_own_bill(text, holds):
    difference = Difference.of([costing("USD", 100.0, 110.0), costing("CNY", 10.0, 0.5)])
    assert Expectation.parse(text).holds(difference) is holds
    assert difference.values()["cost_change"] is None


def test_what_has_no_cost_to_compare_is_counted():
    rows = [
        costing("USD", 1.0, 2.0),
        costing("USD", 1.0, None),
        Replayed("", Outcome("d", "m", {}, ("USD", 1.0)), Outcome("d", "m", {}, ("EUR", 1.0))),
        Replayed("", Outcome("d", "m", {}, ("USD", 1.0)), Outcome("d", None, {"pii": "block"})),
        Replayed("", Outcome("d", "m"), Outcome("d", "m")),
    ]
    assert Difference.of(rows).costs_unknown == 2


UNTOLD = {
    "newly_blocked==0": "none of 2 requests can be replayed",
    "model_changed<=5%": "none of 2 requests can be replayed",
    "cost_change<=0": "none of 2 requests can be replayed",
    "unknown<=2": "",
    "unknown<=50%": "",
}


@pytest.mark.parametrize(("text", "why"), UNTOLD.items(), ids=UNTOLD)
def test_what_could_not_be_told_proves_nothing(text, why):
    difference = Difference.of([Replayed(str(n), Outcome("d", "m"), None, "needs the signal domain") for n in range(2)])
    found = Expectation.parse(text).broken(difference)
    assert found == (f"{text} ({why})" if why else "" if text == "unknown<=2" else text)


@pytest.mark.parametrize(
    ("rows", "text", "why"),
    [
        ([], "unknown==0", "there is no record"),
        (
            [Replayed("", Outcome("d", "m"), Outcome("d", "m"))],
            "cost_change<=0",
            "no request has a cost in one currency",
        ),
    ],
)
def test_nothing_to_judge_by(rows, text, why):
    assert why in Expectation.parse(text).broken(Difference.of(rows))


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
