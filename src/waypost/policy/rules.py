"""Rules in Kleene's three-valued logic: what is not measured, or could not be, is unknown rather than false.

An unknown part does not hide what the others settle: one false part refutes an ``all``, one true part proves an
``any``. Measuring more can only turn unknown into true or false, never true into false.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from waypost.config import schema
from waypost.types import SignalResult, Truth

__all__ = ["ALWAYS", "All", "Any", "Leaf", "Node", "Not", "Results", "compile_rule", "evaluate", "leaves_of"]

Results = Mapping[str, SignalResult]
"""What was measured, by kind. A kind that is absent was not measured."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """True when the signal of ``kind`` matched one of ``names``."""

    kind: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class All:
    """True when each part is; true without parts."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """True when one part is; false without parts."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """True when the part is false."""

    part: Node


Node = Leaf | All | Any | Not

ALWAYS: Final = All(())
"""The rule of a decision without ``when``."""


def compile_rule(rule: schema.Rule | None) -> Node:
    """Turn a configured rule into nodes; None, an absent ``when``, always holds."""
    if rule is None:
        return ALWAYS
    if rule.all is not None:
        return All(tuple(map(compile_rule, rule.all)))
    if rule.any is not None:
        return Any(tuple(map(compile_rule, rule.any)))
    if rule.not_ is not None:
        return Not(compile_rule(rule.not_))
    ((kind, names),) = rule.model_dump(exclude_none=True).items()
    return Leaf(kind, (names,) if isinstance(names, str) else tuple(names))


def evaluate(node: Node, results: Results) -> Truth:
    """Return whether the rule holds; None when what was measured does not say."""
    match node:
        case Leaf():
            return _leaf(node, results)
        case All(parts):
            return _conjunction(evaluate(part, results) for part in parts)
        case Any(parts):
            return _negation(_conjunction(_negation(evaluate(part, results)) for part in parts))
        case Not(part):
            return _negation(evaluate(part, results))


def leaves_of(node: Node) -> Iterator[Leaf]:
    """Yield every leaf of the rule."""
    match node:
        case Leaf():
            yield node
        case Not(part):
            yield from leaves_of(part)
        case All(parts) | Any(parts):
            for part in parts:
                yield from leaves_of(part)


def _leaf(leaf: Leaf, results: Results) -> Truth:
    result = results.get(leaf.kind)
    if result is None or result.unknown:
        return None
    if not result.matched.isdisjoint(leaf.names):
        return True
    return False if result.unknown_names.isdisjoint(leaf.names) else None


def _conjunction(truths: Iterable[Truth]) -> Truth:
    unknown = False
    for truth in truths:
        if truth is False:
            return False
        unknown |= truth is None
    return None if unknown else True


def _negation(truth: Truth) -> Truth:
    return None if truth is None else not truth
