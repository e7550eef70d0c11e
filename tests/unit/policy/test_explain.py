"""The explanation: plain rows that survive JSON."""

import json

import pytest

from waypost.policy.decide import Policy
from waypost.policy.explain import decision_rows, signal_rows


@pytest.fixture
def policy(decision):
    return Policy(
        [
            decision("now", {"all": [{"keyword": ["urgent", "asap"]}, {"not": {"domain": "law"}}]}, priority=1),
            decision("chinese", {"language": "zh"}),
        ]
    )


async def test_signal_rows(policy, signals, keyword, domain, request_):
    outcome = await policy.decide(signals(keyword("urgent"), domain(math=0.75, law=0.25)), request_)
    rows = json.loads(json.dumps(signal_rows(policy, outcome)))
    assert [(row["signal"], row["name"], row["score"], row["margin"], row["truth"]) for row in rows] == [
        ("keyword", "urgent", 1.0, None, True),
        ("keyword", "asap", None, None, False),
        ("domain", "math", 0.75, 0.25, True),
        ("domain", "law", 0.25, -0.25, False),
        ("language", "", None, None, None),
    ]
    assert rows[2]["threshold"] == 0.5
    assert rows[-1]["note"] == "could not change the outcome"


async def test_an_unknown_signal_says_why(policy, signals, keyword, domain, request_):
    outcome = await policy.decide(signals(keyword("urgent"), domain(unknown="queue is full")), request_)
    notes = {row["signal"]: row["note"] for row in signal_rows(policy, outcome)}
    assert notes == {"keyword": "", "domain": "queue is full", "language": "no such signal here"}


async def test_decision_rows(policy, signals, keyword, domain, request_):
    outcome = await policy.decide(signals(keyword("urgent"), domain(law=0.25)), request_)
    assert json.loads(json.dumps(decision_rows(policy, outcome))) == [
        {
            "name": "now",
            "priority": 1,
            "truth": True,
            "rule": {
                "rule": "all",
                "truth": True,
                "parts": [
                    {"rule": "keyword", "truth": True, "names": ["urgent", "asap"]},
                    {"rule": "not", "truth": True, "parts": [{"rule": "domain", "truth": False, "names": ["law"]}]},
                ],
            },
        },
        {
            "name": "chinese",
            "priority": 0,
            "truth": None,
            "rule": {"rule": "language", "truth": None, "names": ["zh"]},
        },
    ]
