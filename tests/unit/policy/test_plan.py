"""The plan: what is measured, in which order, and what is left out."""

import pytest

from waypost.policy.plan import next_kind, settle
from waypost.policy.rules import ALWAYS, All, Any, Leaf, Not
from waypost.types import SignalResult

URGENT = Leaf("keyword", ("urgent",))
MATH = Leaf("domain", ("math",))
CHINESE = Leaf("language", ("zh",))
COSTS = {"keyword": 1.0, "language": 2.0, "domain": 100.0}


@pytest.mark.parametrize(
    ("rules", "urgent", "kind"),
    [
        ((MATH,), True, "domain"),
        ((MATH, URGENT), True, "domain"),
        ((URGENT, MATH), True, None),
        ((URGENT, MATH), False, "domain"),
        ((All((URGENT, MATH)),), False, None),
        ((All((URGENT, MATH)),), True, "domain"),
        ((Any((URGENT, MATH)),), True, None),
        ((Not(Any((URGENT, MATH))),), True, None),
        ((Not(Any((URGENT, MATH))),), False, "domain"),
        ((Not(All((URGENT, MATH))),), False, None),
        ((All((Any((URGENT, MATH)), CHINESE)),), True, "language"),
        ((All((Any((URGENT, MATH)), CHINESE)),), False, "language"),
        ((ALWAYS, MATH), False, None),
        ((), True, None),
    ],
)
def test_next_after_the_keywords(rules, urgent, kind, keyword):
    results = {"keyword": keyword("urgent") if urgent else keyword()}
    assert next_kind(rules, results, COSTS) == kind


def test_the_cheapest_comes_first():
    assert next_kind((All((MATH, CHINESE, URGENT)),), {}, COSTS) == "keyword"


def test_a_rule_that_an_unknown_signal_blocks_is_passed_over(keyword):
    results = {"keyword": keyword(unknown="broken")}
    assert next_kind((All((URGENT, MATH)), CHINESE), results, COSTS) == "language"
    assert next_kind((Any((URGENT, MATH)), CHINESE), results, COSTS) == "domain"


async def test_the_costly_signal_does_not_run_in_vain(signals, keyword, domain, request_):
    given = signals(keyword("urgent"), domain(math=0.9))
    settled = await settle((URGENT, MATH), given, request_)
    assert settled.winner == 0
    assert list(settled.results) == ["keyword"]
    assert given["domain"].asked == 0
    assert settled.skipped == {"domain": "could not change the outcome"}


async def test_each_signal_is_asked_once_and_timed(signals, keyword, domain, request_):
    given = signals(keyword(), domain(math=0.9))
    ticks = iter([1.0, 1.5, 2.0, 5.0])
    settled = await settle((URGENT, All((MATH, Not(URGENT)))), given, request_, clock=lambda: next(ticks))
    assert settled.winner == 1
    assert settled.seconds == {"keyword": 0.5, "domain": 3.0}
    assert [signal.asked for signal in given.values()] == [1, 1]
    assert settled.skipped == {}


async def test_a_kind_without_a_signal_is_unknown(signals, keyword, request_):
    settled = await settle((MATH, URGENT), signals(keyword("urgent")), request_)
    assert settled.winner == 1
    assert settled.results["domain"] == SignalResult("domain", unknown="no such signal here")


async def test_a_signal_that_no_rule_names_is_not_measured(signals, keyword, domain, request_):
    settled = await settle((URGENT,), signals(keyword("urgent"), domain(math=0.9)), request_)
    assert settled.skipped == {"domain": "no rule names it"}
