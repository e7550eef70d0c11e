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

_COST: Final = "cost_change"

Change = tuple[str, str]
Figure = tuple[float, float]
"""A value, and what its percentage is of."""


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
    costs_unknown: int
    """Requests whose cost is known on one side only, or in two currencies."""

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
            costs_unknown=sum(map(_is_incomparable, pairs)),
        )

    @property
    def told(self) -> int:
        """Requests that can be replayed."""
        return self.requests - sum(self.unknown.values())

    def figures(self) -> dict[str, tuple[Figure, ...]]:
        """Return each figure that an expectation may name; the change of the cost once for each currency.

        Of what could not be told for a single request there is none.
        """
        counts = {
            "changed": self.changed,
            "model_changed": sum(self.models.values()),
            "decision_changed": sum(self.decisions.values()),
            "guard_changed": sum(self.guards.values()),
            "newly_blocked": self.newly_blocked,
            "no_longer_blocked": self.no_longer_blocked,
        }
        return {name: ((count, self.told),) if self.told else () for name, count in counts.items()} | {
            "unknown": ((self.requests - self.told, self.requests),) if self.requests else (),
            _COST: tuple((after - before, before) for before, after in self.costs.values()),
        }

    def values(self) -> dict[str, float | None]:
        """Return each figure as one number; None where there is none, or one for each currency."""
        return {name: found[0][0] if len(found) == 1 else None for name, found in self.figures().items()}


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
        """Judge."""
        return not self.broken(difference)

    def broken(self, difference: Difference) -> str:
        """Say why it does not hold; empty when it does. What could not be told is no proof of anything."""
        found = difference.figures()[self.figure]
        if not found:
            return f"{self.text} ({self._untold(difference)})"
        return "" if all(self._holds(*each) for each in found) else self.text

    def _holds(self, value: float, whole: float) -> bool:
        """Judge one figure. A percentage of nothing is 0."""
        if self.percent:
            value = 100 * value / whole if whole else 0.0
        return self.compare(value, self.bound)

    def _untold(self, difference: Difference) -> str:
        if not difference.requests:
            return "there is no record"
        if not difference.told:
            return f"none of {difference.requests} requests can be replayed"
        return "no request has a cost in one currency before and after"


def _counted(items: Iterable[str]) -> dict[str, int]:
    return dict(Counter(items).most_common())


def _changes(pairs: Sequence[tuple[Outcome, Outcome]], of: Callable[[Outcome], str]) -> dict[Change, int]:
    changes = ((of(before), of(after)) for before, after in pairs)
    return dict(Counter(change for change in changes if change[0] != change[1]).most_common())


def _guards(outcome: Outcome) -> str:
    return ", ".join(f"{guard} {action}" for guard, action in sorted(outcome.guards.items())) or "none"


def _is_incomparable(pair: tuple[Outcome, Outcome]) -> bool:
    before, after = pair
    if before.cost and after.cost:
        return before.cost[0] != after.cost[0]
    return bool(before.cost or after.cost) and not (before.blocked or after.blocked)


def _costs(pairs: Sequence[tuple[Outcome, Outcome]]) -> dict[str, tuple[float, float]]:
    sums: dict[str, tuple[float, float]] = {}
    for before, after in pairs:
        if before.cost and after.cost and before.cost[0] == after.cost[0]:
            currency, amount = before.cost
            so_far = sums.get(currency, (0.0, 0.0))
            sums[currency] = (so_far[0] + amount, so_far[1] + after.cost[1])
    return sums
