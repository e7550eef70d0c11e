"""Laws of the three-valued rules and of the plan, on random policies and random answers."""

import asyncio
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from waypost.policy.plan import next_kind, settle, winner
from waypost.policy.reasons import confidence, reasons
from waypost.policy.rules import All, Any, Leaf, Not, evaluate
from waypost.types import Request, SignalResult

KINDS = ("keyword", "language", "length", "domain")
NAMES = ("a", "b", "c")
REQUEST = Request("chat", "MoM", (), "")

leaves = st.builds(
    Leaf, st.sampled_from(KINDS), st.lists(st.sampled_from(NAMES), min_size=1, max_size=2, unique=True).map(tuple)
)
nodes = st.recursive(
    leaves,
    lambda parts: st.one_of(
        st.lists(parts, max_size=3).map(tuple).map(All),
        st.lists(parts, max_size=3).map(tuple).map(Any),
        parts.map(Not),
    ),
    max_leaves=8,
)


@st.composite
def complete_results(draw):
    """An answer for every kind; some kinds and some names unknown."""
    results = {}
    for kind in KINDS:
        scores = {name: draw(st.floats(0, 1)) for name in NAMES}
        unknown_names = draw(st.frozensets(st.sampled_from(NAMES), max_size=1))
        results[kind] = SignalResult(
            kind,
            frozenset(name for name, score in scores.items() if score >= 0.5) - unknown_names,
            scores,
            draw(st.sampled_from((0.5, None))),
            draw(st.sampled_from(("", "", "", "broken"))),
            unknown_names,
        )
    return results


@st.composite
def partial_results(draw):
    kinds = draw(st.sets(st.sampled_from(KINDS)))
    return {kind: result for kind, result in draw(complete_results()).items() if kind in kinds}


class _Signal:
    def __init__(self, result, cost):
        self.kind, self.cost, self._result = result.kind, cost, result

    async def measure(self, request):
        return self._result


@given(st.lists(nodes, max_size=3), partial_results())
def test_de_morgan(parts, results):
    negated = tuple(map(Not, parts))
    assert evaluate(Not(All(tuple(parts))), results) is evaluate(Any(negated), results)
    assert evaluate(Not(Any(tuple(parts))), results) is evaluate(All(negated), results)


@given(nodes, partial_results())
def test_double_negation_and_single_parts_change_nothing(node, results):
    truth = evaluate(node, results)
    for same in (Not(Not(node)), All((node,)), Any((node,)), All((node, node)), All((node, All(())))):
        assert evaluate(same, results) is truth


@given(nodes, nodes, partial_results())
def test_absorption(one, other, results):
    truth = evaluate(one, results)
    assert evaluate(All((one, Any((one, other)))), results) is truth
    assert evaluate(Any((one, All((one, other)))), results) is truth


@given(nodes, complete_results())
def test_measuring_more_never_flips_a_settled_truth(node, results):
    for size in range(len(KINDS)):
        for kinds in combinations(KINDS, size):
            truth = evaluate(node, {kind: results[kind] for kind in kinds})
            assert truth is None or truth is evaluate(node, results)


@given(nodes, partial_results())
def test_a_settled_rule_is_explained(node, results):
    if evaluate(node, results) is None:
        assert all("unknown" in line or "not measured" in line for line in reasons(node, results))
        return
    assert 0.0 <= confidence(node, results) <= 1.0
    assert confidence(Not(node), results) == confidence(node, results)
    assert not any("unknown" in line or "not measured" in line for line in reasons(node, results))


@given(st.lists(nodes, max_size=5), complete_results(), st.permutations(range(len(KINDS))))
def test_the_plan_decides_like_measuring_everything(rules, results, costs):
    signals = {kind: _Signal(results[kind], cost) for kind, cost in zip(KINDS, costs, strict=True)}
    settled = asyncio.run(settle(rules, signals, REQUEST))
    assert settled.winner == winner(rules, results)
    assert settled.results == {kind: results[kind] for kind in settled.results}
    assert set(settled.skipped) == set(KINDS) - set(settled.results)


@given(st.lists(nodes, max_size=4), partial_results())
def test_a_kind_is_measured_once_and_only_if_a_rule_names_it(rules, results):
    kind = next_kind(rules, results, {})
    if kind is None:
        return
    assert kind not in results
    assert any(kind in str(rule) for rule in rules)
    assert winner(rules[:1], results) is None
