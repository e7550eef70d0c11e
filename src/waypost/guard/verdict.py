"""From what was measured to what is done about it: the one rule of both guards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from waypost.config.guarding import JailbreakGuard, OnError, PiiGuard
from waypost.config.naming import listed
from waypost.types import GuardAction, GuardName, SignalResult, Verdict

__all__ = ["Question", "about_answer", "about_request", "judge"]


@dataclass(frozen=True, slots=True)
class Question:
    """What a guard asks of one measurement."""

    guard: GuardName
    names: tuple[str, ...]
    action: GuardAction
    on_error: OnError
    threshold: float | None = None
    """In [0, 1]; None: the signal's own."""
    thresholds: Mapping[str, float] = field(default_factory=dict)
    in_answer: bool = False


def about_request(guard: JailbreakGuard | PiiGuard) -> Question:
    """Ask what the guard is there for."""
    if isinstance(guard, JailbreakGuard):
        return Question("jailbreak", listed(guard.kinds), guard.action, guard.on_error, guard.threshold)
    return Question("pii", listed(guard.types), guard.action, guard.on_error, thresholds=guard.thresholds)


def about_answer(guard: JailbreakGuard | PiiGuard | None) -> Question | None:
    """Ask whether the model's answer may pass; None when the guard does not check answers."""
    match guard:
        case JailbreakGuard(answers=answers) if answers and answers.check:
            names = listed(answers.kinds)
            return Question("jailbreak", names, answers.action, guard.on_error, guard.threshold, in_answer=True)
        case PiiGuard(answers=answers) if answers and answers.check:
            return Question(
                "pii", listed(guard.types), answers.action, guard.on_error, thresholds=guard.thresholds, in_answer=True
            )
    return None


def judge(question: Question, result: SignalResult) -> Verdict | None:
    """Decide; None when all was read and nothing was found.

    What could not be told is no reason to act less: only ``on_error: allow`` and the action ``log`` let it pass. Then,
    without anything found, ``restrict_models`` stands for every type there is.
    """
    found = _found(question, result)
    error = result.unknown or (f"{result.skipped_tokens} tokens were not read" if result.skipped_tokens else "")
    if not found and not error:
        return None
    settled = not error or question.action == "log" or (found and question.action in ("block", "route"))
    if settled or question.on_error == "allow":
        action = question.action if found else "allow"
    else:
        found = {}
        action = "restrict_models" if question.action == "restrict_models" else "block"
    return Verdict(question.guard, action, found, error, result.skipped_tokens, question.in_answer)


def _found(question: Question, result: SignalResult) -> dict[str, float]:
    default = question.threshold if question.threshold is not None else result.threshold or 0.0
    scores = {
        name: score
        for name in question.names
        if (score := result.scores.get(name)) is not None and score >= question.thresholds.get(name, default)
    }
    return dict(sorted(scores.items(), key=lambda item: -item[1]))
