"""What a replay found, summed up, and what somebody expects of it."""

from __future__ import annotations

import operator
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from waypost.errors import DataError
from waypost.observe.replay import Outcome, Replayed

__all__ = ["Difference", "Expectation"]

_FORM: Final = re.compile(r"(\w+)\s*(<=|>=|==|<|>)\s*(-?\d+(?:\.\d+)?)(%?)")
_OPERATORS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}

Change = tuple[str, str]


@dataclass(frozen=True)
class Difference:
    """Counts of requests; the changes by what they were and what they would be, the most frequent first."""

    requests: int
    unknown: Mapping[str, int]
    """What the records do not tell, and of how many requests."""
    changed: int
    """Another model, decision or action of a guard."""
    models: Mapping[Change, int]
    decisions: Mapping[Change, int]
    guards: Mapping[Change, int]
    newly_blocked: int
    no_longer_blocked: int
    costs: Mapping[str, tuple[float, float]]
    """Currency → before and after, of the requests of which both are known in one currency."""

    @classmethod
    def of(cls, replayed: Iterable[Replayed]) -> Self:
        """Sum up."""
        rows = list(replayed)
        pairs = [(row.before, row.after) for row in rows if row.after]
        return cls(
            requests=len(rows),
            unknown=_counted(row.unknown for row in rows if row.after is None),
            changed=sum(map(differs, pairs)),
            models=_changes(pairs, lambda outcome: outcome.model or "none"),
            decisions=_changes(pairs, lambda outcome: outcome.decision or "none"),
            guards=_changes(pairs, _guards),
            newly_blocked=sum(after.blocked and not before.blocked for before, after in pairs),
            no_longer_blocked=sum(before.blocked and not after.blocked for before, after in pairs),
            costs=_costs(pairs),
        )

    def figures(self) -> dict[str, tuple[float, float]]:
        """Return each figure that an expectation may name, with what its percentage is of."""
        told = self.requests - sum(self.unknown.values())
        before = sum(cost[0] for cost in self.costs.values())
        after = sum(cost[1] for cost in self.costs.values())
        counts = {
            "changed": self.changed,
            "model_changed": sum(self.models.values()),
            "decision_changed": sum(self.decisions.values()),
            "guard_changed": sum(self.guards.values()),
            "newly_blocked": self.newly_blocked,
            "no_longer_blocked": self.no_longer_blocked,
        }
        return {name: (count, told) for name, count in counts.items()} | {
            "unknown": (sum(self.unknown.values()), self.requests),
            "cost_change": (after - before, before),
        }


def differs(pair: tuple[Outcome, Outcome]) -> bool:
    """Tell whether anything but the cost changed."""
    before, after = pair
    same = (before.model, before.decision or "", before.guards) == (after.model, after.decision or "", after.guards)
    return not same


@dataclass(frozen=True)
class Expectation:
    """``FIGURE OP NUMBER[%]``, such as ``model_changed<=5%`` or ``newly_blocked==0``."""

    text: str
    figure: str
    compare: Callable[[float, float], bool]
    bound: float
    percent: bool

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read one. Raises DataError when it is none."""
        found = _FORM.fullmatch(text.strip())
        known = Difference.of(()).figures()
        if not found or found[1] not in known:
            names = ", ".join(known)
            raise DataError(f"cannot read the expectation {text!r}: write FIGURE<=NUMBER or NUMBER%, of {names}")
        return cls(text, found[1], _OPERATORS[found[2]], float(found[3]), found[4] == "%")

    def holds(self, difference: Difference) -> bool:
        """Judge. A percentage of nothing is 0."""
        value, whole = difference.figures()[self.figure]
        if self.percent:
            value = 100 * value / whole if whole else 0.0
        return self.compare(value, self.bound)


def _counted(items: Iterable[str]) -> dict[str, int]:
    return dict(Counter(items).most_common())


def _changes(pairs: Sequence[tuple[Outcome, Outcome]], of: Callable[[Outcome], str]) -> dict[Change, int]:
    changes = ((of(before), of(after)) for before, after in pairs)
    return dict(Counter(change for change in changes if change[0] != change[1]).most_common())


def _guards(outcome: Outcome) -> str:
    return ", ".join(f"{guard} {action}" for guard, action in sorted(outcome.guards.items())) or "none"


def _costs(pairs: Sequence[tuple[Outcome, Outcome]]) -> dict[str, tuple[float, float]]:
    sums: dict[str, tuple[float, float]] = {}
    for before, after in pairs:
        if before.cost and after.cost and before.cost[0] == after.cost[0]:
            currency, amount = before.cost
            so_far = sums.get(currency, (0.0, 0.0))
            sums[currency] = (so_far[0] + amount, so_far[1] + after.cost[1])
    return sums
