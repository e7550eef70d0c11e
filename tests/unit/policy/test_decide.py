"""The policy: which decision wins, and the account it gives."""

import pytest

from waypost.policy.decide import Policy


async def test_priority_wins_and_order_breaks_ties(decision, signals, keyword, request_):
    policy = Policy([decision("low", priority=1), decision("first", priority=5), decision("second", priority=5)])
    outcome = await policy.decide(signals(keyword()), request_)
    assert [each.name for each in policy.decisions] == ["first", "second", "low"]
    assert outcome.decision.name == "first"
    assert outcome.route is policy.decisions[0]
    assert outcome.decision.reasons == ("always",)
    assert outcome.decision.confidence == 1.0


async def test_the_account_of_a_decision(decision, signals, keyword, domain, request_):
    policy = Policy(
        [
            decision("now", {"all": [{"keyword": "urgent"}, {"domain": "law"}]}, priority=10),
            decision("chinese", {"language": "zh"}, priority=9),
            decision("math", {"any": [{"domain": "math"}, {"domain": "physics"}]}, priority=8),
            decision("rest"),
        ]
    )
    outcome = await policy.decide(signals(keyword("urgent"), domain(math=0.93, law=0.1)), request_)
    assert outcome.decision.name == "math"
    assert outcome.decision.confidence == pytest.approx(0.93)
    assert outcome.decision.reasons == ("domain is math (0.93 ≥ 0.50)",)
    assert outcome.decision.rejected == (
        "now does not hold: not domain law (0.10 < 0.50)",
        "chinese unknown: language unknown (no such signal here)",
    )


async def test_no_decision_holds(decision, signals, keyword, request_):
    outcome = await Policy([decision("now", {"keyword": "urgent"})]).decide(signals(keyword()), request_)
    assert outcome.route is None
    assert outcome.decision.name == ""
    assert outcome.decision.confidence == 0.0
    assert outcome.decision.reasons == ("no decision holds",)
    assert outcome.decision.rejected == ("now does not hold: not keyword urgent",)


async def test_a_failed_signal_passes_its_decision_over(decision, signals, keyword, domain, request_):
    policy = Policy([decision("math", {"domain": "math"}, priority=1), decision("rest")])
    outcome = await policy.decide(signals(domain(unknown="queue is full")), request_)
    assert outcome.decision.name == "rest"
    assert outcome.decision.rejected == ("math unknown: domain unknown (queue is full)",)


async def test_without_decisions(signals, request_):
    outcome = await Policy([]).decide(signals(), request_)
    assert (outcome.decision.name, outcome.decision.rejected, outcome.results) == ("", (), {})
    assert outcome.decide_seconds >= 0.0
