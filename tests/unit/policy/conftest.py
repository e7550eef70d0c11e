"""Results and signals that policies are tried on."""

from collections.abc import Callable

import pytest

from waypost.config import schema
from waypost.types import Request, SignalResult


class FixedSignal:
    """Gives one prepared answer and counts how often it was asked."""

    def __init__(self, result: SignalResult, cost: float) -> None:
        self.kind = result.kind
        self.cost = cost
        self.asked = 0
        self._result = result

    async def measure(self, request: Request) -> SignalResult:
        self.asked += 1
        return self._result


@pytest.fixture
def request_() -> Request:
    return Request("chat", "MoM", (), "")


@pytest.fixture
def keyword() -> Callable[..., SignalResult]:
    def result(*matched: str, unknown: str = "", unknown_names: tuple[str, ...] = ()) -> SignalResult:
        return SignalResult(
            "keyword", frozenset(matched), dict.fromkeys(matched, 1.0), None, unknown, frozenset(unknown_names)
        )

    return result


@pytest.fixture
def domain() -> Callable[..., SignalResult]:
    def result(unknown: str = "", **scores: float) -> SignalResult:
        matched = frozenset(name for name, score in scores.items() if score >= 0.5)
        return SignalResult("domain", matched, scores, 0.5, unknown)

    return result


@pytest.fixture
def rule() -> Callable[..., schema.Rule]:
    return lambda **keys: schema.Rule.model_validate(keys)


@pytest.fixture
def decision() -> Callable[..., schema.DecisionConfig]:
    def build(name: str, when: object = None, priority: int = 0) -> schema.DecisionConfig:
        return schema.DecisionConfig.model_validate(
            {"name": name, "when": when, "priority": priority, "models": [{"model": "m"}]}
        )

    return build


@pytest.fixture
def signals() -> Callable[..., dict[str, FixedSignal]]:
    """Signals with the given answers; the first is the cheapest."""

    def build(*results: SignalResult) -> dict[str, FixedSignal]:
        return {result.kind: FixedSignal(result, cost) for cost, result in enumerate(results)}

    return build
