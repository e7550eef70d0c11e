"""Reasons and confidence: only the parts that decide speak."""

import pytest

from waypost.policy.reasons import confidence, reasons
from waypost.policy.rules import ALWAYS, All, Any, Leaf, Not
from waypost.types import SignalResult

URGENT = Leaf("keyword", ("urgent",))
OTHER = Leaf("keyword", ("other",))
MATH = Leaf("domain", ("math",))
LAW = Leaf("domain", ("law",))
PHYSICS = Leaf("domain", ("physics",))


@pytest.fixture
def results(keyword, domain):
    return {"keyword": keyword("urgent"), "domain": domain(math=0.93, physics=0.6, law=0.12)}


@pytest.mark.parametrize(
    ("node", "lines", "sure"),
    [
        (MATH, ("domain is math (0.93 ≥ 0.50)",), 0.93),
        (LAW, ("not domain law (0.12 < 0.50)",), 0.88),
        (URGENT, ("keyword urgent",), 1.0),
        (OTHER, ("not keyword other",), 1.0),
        (Leaf("domain", ("physics", "math")), ("domain is math (0.93 ≥ 0.50)",), 0.93),
        (Leaf("keyword", ("other", "more")), ("not keyword other or more",), 1.0),
        (Not(LAW), ("not domain law (0.12 < 0.50)",), 0.88),
        (ALWAYS, (), 1.0),
        (
            All((URGENT, MATH, PHYSICS)),
            ("keyword urgent", "domain is math (0.93 ≥ 0.50)", "domain is physics (0.60 ≥ 0.50)"),
            0.6,
        ),
        (All((URGENT, OTHER, LAW)), ("not keyword other", "not domain law (0.12 < 0.50)"), 1.0),
        (Any((LAW, PHYSICS, MATH)), ("domain is math (0.93 ≥ 0.50)", "domain is physics (0.60 ≥ 0.50)"), 0.93),
        (Any((OTHER, LAW)), ("not keyword other", "not domain law (0.12 < 0.50)"), 0.88),
        (All((MATH, MATH)), ("domain is math (0.93 ≥ 0.50)",), 0.93),
    ],
)
def test_settled_rules(node, lines, sure, results):
    assert reasons(node, results) == lines
    assert confidence(node, results) == pytest.approx(sure)


def test_unknown_rules_name_what_is_unknown(keyword, domain):
    results = {"keyword": keyword("urgent", unknown_names=("slow",)), "domain": domain(unknown="queue is full")}
    node = All((URGENT, MATH, Leaf("keyword", ("slow",)), Leaf("language", ("zh",))))
    assert reasons(node, results) == (
        "domain unknown (queue is full)",
        "keyword unknown (out of time)",
        "language not measured",
    )


def test_a_score_that_reaches_the_threshold_without_a_match():
    results = {"language": SignalResult("language", frozenset({"es"}), {"es": 0.5, "pt": 0.4}, 0.3)}
    assert reasons(Leaf("language", ("pt",)), results) == ("not language pt (0.40, not the best)",)
