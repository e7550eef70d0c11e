"""What the guards say of a piece of a model's answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from waypost.guard.personal import Search
from waypost.guard.pii.surrogate import SURROGATE
from waypost.guard.scope import Guards
from waypost.guard.verdict import about_answer, judge
from waypost.guard.watch import Watch
from waypost.types import Message, Request, SignalResult, Verdict

__all__ = ["AnswerJudge"]


@dataclass(frozen=True)
class AnswerJudge:
    """Judges pieces of one answer."""

    watch: Watch
    guards: Guards
    said: Sequence[str]
    """The client's own texts: what it told the model is no leak when the model says it again."""

    @classmethod
    def of(cls, watch: Watch, guards: Guards, said: Sequence[str]) -> Self | None:
        """Judge the answer to a request with the texts ``said``; None when no guard checks answers."""
        return cls(watch, guards, said) if any(map(about_answer, (guards.jailbreak, guards.pii))) else None

    @property
    def hold_back(self) -> int:
        """Characters that must follow a piece before it is known to be harmless."""
        checks = (self.guards.jailbreak and self.guards.jailbreak.answers, self.guards.pii and self.guards.pii.answers)
        return max(check.hold_back for check in checks if check and check.check)

    async def judge(self, text: str) -> tuple[Verdict, ...]:
        """Say what is wrong with ``text``; empty when nothing is."""
        if not text.strip():
            return ()
        verdicts = []
        if question := about_answer(self.guards.jailbreak):
            result = await self.watch.measure(Request("chat", "", (Message("assistant", text),), text))
            verdicts.append(judge(question, result))
        if self.guards.pii and (question := about_answer(self.guards.pii)):
            search = await self.watch.search([text], self.guards.pii)
            verdicts.append(judge(question, self._leaks(text, search)))
        return tuple(verdict for verdict in verdicts if verdict)

    def unread(self, why: str) -> tuple[Verdict, ...]:
        """Say what follows for an answer, or a part of it, that cannot be read."""
        questions = map(about_answer, (self.guards.jailbreak, self.guards.pii))
        verdicts = (judge(each, SignalResult(each.guard, unknown=why)) for each in questions if each)
        return tuple(verdict for verdict in verdicts if verdict)

    def _leaks(self, text: str, search: Search) -> SignalResult:
        scores: dict[str, float] = {}
        for finding in search.findings[0]:
            value = text[finding.start : finding.end]
            masked = SURROGATE.search(text[max(0, finding.start - 1) : finding.end + 1])
            if not masked and not any(value in each for each in self.said):
                scores[finding.type] = max(finding.score, scores.get(finding.type, 0.0))
        return replace(search.result, scores=scores, matched=frozenset(scores))
