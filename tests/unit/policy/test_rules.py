"""Rules: compiled from the configuration, and true, false or unknown."""

import pytest

from waypost.policy.rules import ALWAYS, All, Any, Leaf, Not, compile_rule, evaluate, leaves_of

URGENT = Leaf("keyword", ("urgent",))
MATH = Leaf("domain", ("math",))


@pytest.mark.parametrize(
    ("keys", "node"),
    [
        ({"domain": "math"}, MATH),
        ({"domain": ["math", "law"]}, Leaf("domain", ("math", "law"))),
        ({"not": {"keyword": "urgent"}}, Not(URGENT)),
        ({"all": []}, ALWAYS),
        (
            {"any": [{"domain": "math"}, {"all": [{"keyword": "urgent"}, {"not": {"language": "zh"}}]}]},
            Any((MATH, All((URGENT, Not(Leaf("language", ("zh",))))))),
        ),
    ],
)
def test_compile(rule, keys, node):
    assert compile_rule(rule(**keys)) == node


def test_an_absent_rule_always_holds():
    assert compile_rule(None) == ALWAYS
    assert evaluate(ALWAYS, {}) is True
    assert evaluate(Any(()), {}) is False


@pytest.mark.parametrize(
    ("node", "truth"),
    [
        (URGENT, True),
        (Leaf("keyword", ("other",)), False),
        (Leaf("keyword", ("other", "urgent")), True),
        (Leaf("keyword", ("slow",)), None),
        (Leaf("keyword", ("slow", "urgent")), True),
        (Leaf("keyword", ("slow", "other")), None),
        (MATH, None),
        (Leaf("language", ("zh",)), None),
        (Not(URGENT), False),
        (Not(MATH), None),
        (All((URGENT, MATH)), None),
        (All((MATH, Not(URGENT))), False),
        (Any((MATH, URGENT)), True),
        (Any((MATH, Not(URGENT))), None),
    ],
)
def test_evaluate(node, truth, keyword, domain):
    results = {"keyword": keyword("urgent", unknown_names=("slow",)), "domain": domain(unknown="queue is full")}
    assert evaluate(node, results) is truth


def test_leaves():
    assert list(leaves_of(Any((MATH, Not(All((URGENT, MATH))))))) == [MATH, URGENT, MATH]
