"""Why a rule has the truth it has, and how sure that is.

Both look only at the *deciding* parts: all parts of an ``all`` that holds or an ``any`` that does not, else those that
share the truth of the whole (the true parts of an ``any`` that holds, the unknown parts of what is unknown).
"""

from __future__ import annotations

from collections.abc import Sequence

from waypost.policy.rules import All, Any, Leaf, Node, Not, Results, evaluate
from waypost.types import SignalResult

__all__ = ["confidence", "reasons"]


def confidence(node: Node, results: Results) -> float:
    """Return how sure the truth of a settled rule is, in [0, 1].

    A leaf that holds is as sure as its best score, one that does not as sure as that score is low; a fact (a signal
    without threshold) is 1.0. Where each deciding part is needed the weakest counts, where one is enough the strongest.
    A ``not`` is as sure as its part.
    """
    match node:
        case Leaf():
            return _leaf_confidence(node, results)
        case Not(part):
            return confidence(part, results)
        case All() | Any():
            sure = [confidence(part, results) for part in _deciding(node, results)]
            return (min if _needs_each(node, results) else max)(sure, default=1.0)


def reasons(node: Node, results: Results) -> tuple[str, ...]:
    """Return one line for each leaf that decides, the surest first where one was enough.

    ``domain is math (0.93 ≥ 0.50)``, ``keyword urgent``, ``not language zh``, ``domain unknown (queue is full)``.
    """
    match node:
        case Leaf():
            return (_leaf_reason(node, results),)
        case Not(part):
            return reasons(part, results)
        case All() | Any():
            parts = _deciding(node, results)
            if isinstance(node, Any) and evaluate(node, results):
                parts = sorted(parts, key=lambda part: -confidence(part, results))
            return tuple(dict.fromkeys(line for part in parts for line in reasons(part, results)))


def _deciding(node: All | Any, results: Results) -> Sequence[Node]:
    if _needs_each(node, results):
        return node.parts
    truth = evaluate(node, results)
    return [part for part in node.parts if evaluate(part, results) is truth]


def _needs_each(node: All | Any, results: Results) -> bool:
    """Return whether the node's truth rests on every part: an ``all`` that holds, an ``any`` that does not."""
    truth = evaluate(node, results)
    return truth is True if isinstance(node, All) else truth is False


def _leaf_confidence(leaf: Leaf, results: Results) -> float:
    result = results[leaf.kind]
    if result.threshold is None:
        return 1.0
    score = _best_score(leaf, result)
    return score if evaluate(leaf, results) else 1.0 - score


def _leaf_reason(leaf: Leaf, results: Results) -> str:
    result = results.get(leaf.kind)
    if result is None:
        return f"{leaf.kind} not measured"
    match evaluate(leaf, results):
        case True:
            return _held(leaf, result)
        case False:
            return f"not {leaf.kind} {' or '.join(leaf.names)}{_shortfall(leaf, result)}"
        case None:
            return f"{leaf.kind} unknown ({result.unknown or 'out of time'})"


def _held(leaf: Leaf, result: SignalResult) -> str:
    name = max(result.matched.intersection(leaf.names), key=lambda name: (result.scores.get(name, 0.0), name))
    if result.threshold is None:
        return f"{leaf.kind} {name}"
    return f"{leaf.kind} is {name} ({result.scores.get(name, 0.0):.2f} ≥ {result.threshold:.2f})"


def _shortfall(leaf: Leaf, result: SignalResult) -> str:
    if result.threshold is None:
        return ""
    score = _best_score(leaf, result)
    # A signal that names one thing only may pass over a score that reaches the threshold.
    return f" ({score:.2f} < {result.threshold:.2f})" if score < result.threshold else f" ({score:.2f}, not the best)"


def _best_score(leaf: Leaf, result: SignalResult) -> float:
    return max((result.scores.get(name, 0.0) for name in leaf.names), default=0.0)
