"""Who judges the pieces of one answer, and what was said of them so far."""

from __future__ import annotations

from typing import Protocol

from waypost.types import Verdict

__all__ = ["Bench", "Judge"]


class Judge(Protocol):
    """What an answer is judged by."""

    @property
    def hold_back(self) -> int:
        """Characters on either side without which a piece cannot be judged, at least 1."""
        ...

    async def judge(self, text: str) -> tuple[Verdict, ...]:
        """Say what is wrong with a piece of the answer; empty when nothing is."""
        ...

    def unread(self, why: str) -> tuple[Verdict, ...]:
        """Say what follows for a part that cannot be read."""
        ...


class Bench:
    """Asks the judge and keeps what is new of its verdicts."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self.verdicts: list[Verdict] = []

    @property
    def hold_back(self) -> int:
        """The judge's, in characters."""
        return self._judge.hold_back

    async def judge(self, text: str) -> Verdict | None:
        """Return the verdict that stops the answer; None when it may go on."""
        return self._noted(await self._judge.judge(text))

    def unread(self, why: str) -> Verdict | None:
        """Like :meth:`judge`, for what cannot be read."""
        return self._noted(self._judge.unread(why))

    def _noted(self, verdicts: tuple[Verdict, ...]) -> Verdict | None:
        known = {_essence(verdict) for verdict in self.verdicts}
        self.verdicts += (verdict for verdict in verdicts if _essence(verdict) not in known)
        return next((verdict for verdict in verdicts if verdict.action == "block"), None)


def _essence(verdict: Verdict) -> tuple[object, ...]:
    return verdict.guard, verdict.action, frozenset(verdict.found)
