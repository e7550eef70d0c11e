"""What is done about attacks and personal data that are found: for every request, and otherwise for a decision."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from waypost.config.naming import Attacks, Name, PiiType, PiiTypes
from waypost.config.strict import Probability, Strict
from waypost.guard.pii.types import PII_TYPES

__all__ = [
    "IDENTIFYING",
    "AnswerCheck",
    "DecisionGuard",
    "DecisionJailbreak",
    "DecisionPii",
    "GuardConfig",
    "JailbreakAction",
    "JailbreakAnswerCheck",
    "JailbreakGuard",
    "OnError",
    "PiiAction",
    "PiiGuard",
    "Status",
]

_COMMONPLACE: Final = frozenset(
    {"AGE", "DATE_TIME", "DOMAIN_NAME", "GPE", "NRP", "ORGANIZATION", "TITLE", "URL", "ZIP_CODE"}
)
IDENTIFYING: Final = tuple(name for name in PII_TYPES if name not in _COMMONPLACE)
"""The types that tell who somebody is or open a door; the others stand in every second question about the weather."""

JailbreakAction = Literal["block", "route", "log"]
PiiAction = Literal["restrict_models", "mask", "block", "log"]
OnError = Literal["block", "allow"]
Status = Literal[403, 200]

_HoldBack = Annotated[int, Field(ge=50, le=20_000)]


class AnswerCheck(Strict):
    """The check of what the model answers, arguments of tool calls included. Absent: answers are not checked."""

    check: bool = True
    """``false`` switches it off for a decision."""
    action: Literal["block", "log"] = "block"
    """``block``: the answer ends with ``finish_reason: content_filter`` in place of what was found."""
    hold_back: _HoldBack = 400
    """Characters of a streamed answer that are read before those in front of them go to the client."""


class JailbreakAnswerCheck(AnswerCheck):
    """The check of what the model answers, arguments of tool calls included. Absent: answers are not checked."""

    kinds: Attacks = ("jailbreak", "harmful")
    """What is looked for. The classifier learnt from requests, and reads an answer as if it were one."""


class JailbreakGuard(Strict):
    """What is done about attempts to override the model's instructions or its safety."""

    action: JailbreakAction = "block"
    """``route`` sends the request on by the decision named beside it; ``log`` only counts, and never blocks."""
    status: Status = 403
    """Of a blocked request: 403 with an error, or 200 with ``finish_reason: content_filter``."""
    decision: Name | None = None
    """For ``route``: the decision that takes over, whatever its own rule says."""
    threshold: Probability | None = None
    """What the probability of an attack must reach; absent: that of the signal ``jailbreak``."""
    kinds: Attacks = ("jailbreak", "indirect")
    """What counts as an attack; ``harmful`` is a plain harmful request without any attempt to override."""
    on_error: OnError = "block"
    """When the classifier gives no answer, or could not read all of the request."""
    answers: JailbreakAnswerCheck | None = None


class PiiGuard(Strict):
    """What is done about personal data."""

    action: PiiAction = "restrict_models"
    """``restrict_models``: only models whose ``pii.allow`` has what was found may answer; blocked when none is left.

    ``mask``: models see ``<PERSON_1>`` in place of what their ``pii.allow`` does not name, and the answer gets the
    value back. ``log`` only counts, and never blocks.
    """
    status: Status = 403
    """Of a blocked request: 403 with an error, or 200 with ``finish_reason: content_filter``."""
    types: PiiTypes = IDENTIFYING
    """The types that count; by default those that identify somebody or open a door."""
    thresholds: dict[PiiType, Probability] = Field({})
    """Per type, what a finding's score must reach; for all others it is that of the signal ``pii``."""
    on_error: OnError = "block"
    """When the classifier gives no answer, or could not read all of the request."""
    answers: AnswerCheck | None = None


class GuardConfig(Strict):
    """The guards. They look at every request to ``/v1/chat/completions`` and ``/v1/completions``.

    Absent: only those of decisions that have a ``guard`` of their own look.
    """

    jailbreak: JailbreakGuard | None = None
    pii: PiiGuard | None = None


class DecisionJailbreak(Strict):
    """What a decision does otherwise than ``guard.jailbreak``; keys that are absent are as there."""

    enabled: bool = True
    action: JailbreakAction | None = None
    status: Status | None = None
    decision: Name | None = None
    threshold: Probability | None = None
    kinds: Attacks | None = None
    on_error: OnError | None = None
    answers: JailbreakAnswerCheck | None = None


class DecisionPii(Strict):
    """What a decision does otherwise than ``guard.pii``; keys that are absent are as there."""

    enabled: bool = True
    action: PiiAction | None = None
    status: Status | None = None
    types: PiiTypes | None = None
    thresholds: dict[PiiType, Probability] | None = None
    on_error: OnError | None = None
    answers: AnswerCheck | None = None


class DecisionGuard(Strict):
    """What the guards do otherwise on this decision."""

    jailbreak: DecisionJailbreak | None = None
    pii: DecisionPii | None = None
