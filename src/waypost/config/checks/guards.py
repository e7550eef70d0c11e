"""The guards: names that must exist, routes that must lead somewhere, and keys that must have an effect."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from waypost.config.checks.names import unknown
from waypost.config.checks.subject import Finding, Subject
from waypost.config.guarding import DecisionJailbreak, DecisionPii, JailbreakGuard, PiiGuard
from waypost.config.place import Place
from waypost.guard.pii.types import PII_TYPES
from waypost.signals.names import ATTACKS

__all__ = [
    "allowed_types_exist",
    "allowing_has_effect",
    "guarded_attacks_exist",
    "guarded_types_exist",
    "guards_need_the_processor",
    "overrides_have_effect",
    "restricting_has_effect",
    "routes_lead_somewhere",
    "taken_over_by",
]


def guarded_attacks_exist(subject: Subject) -> Iterator[Finding]:
    """Look up the kinds of attack that guards look for."""
    for place, guard in _jailbreak(subject):
        yield from _listed_exist("attack", (*place, "kinds"), guard.kinds, ATTACKS)
        if guard.answers is not None:
            yield from _listed_exist("attack", (*place, "answers", "kinds"), guard.answers.kinds, ATTACKS)


def guarded_types_exist(subject: Subject) -> Iterator[Finding]:
    """Look up the types of personal data that guards look for."""
    for place, guard in _pii(subject):
        yield from _listed_exist("pii", (*place, "types"), guard.types, PII_TYPES)
        for name in guard.thresholds or ():
            if name not in PII_TYPES:
                found = unknown((*place, "thresholds", name), "pii", name, PII_TYPES)
                yield Finding(found.place, found.message, key=True)


def allowed_types_exist(subject: Subject) -> Iterator[Finding]:
    """Look up the types of personal data that models may see."""
    for name, model in subject.config.models.items():
        if model.pii is not None:
            yield from _listed_exist("pii", ("models", name, "pii", "allow"), model.pii.allow, PII_TYPES)


def routes_lead_somewhere(subject: Subject) -> Iterator[Finding]:
    """Refuse ``route`` without a decision that exists, and a decision without ``route``."""
    known = [decision.name for decision in subject.config.routing.decisions]
    default = subject.config.guard.jailbreak or JailbreakGuard()
    for place, guard in _jailbreak(subject):
        action = guard.action or default.action
        target = guard.decision or default.decision
        if guard.decision is not None and guard.decision not in known:
            yield unknown((*place, "decision"), "decision", guard.decision, known, "routing.decisions")
        elif guard.decision is not None and action != "route":
            yield Finding((*place, "decision"), "has no effect: only action 'route' leads to a decision")
        if guard.action == "route" and target is None:
            yield Finding((*place, "action"), "'route' needs a decision beside it, which takes over")


def overrides_have_effect(subject: Subject) -> Iterator[Finding]:
    """Refuse keys beside ``enabled: false``."""
    for place, guard in _all(subject):
        if isinstance(guard, DecisionJailbreak | DecisionPii) and not guard.enabled:
            for key in sorted(guard.model_fields_set - {"enabled"}):
                yield Finding((*place, key), "has no effect beside 'enabled: false'", key=True)


def allowing_has_effect(subject: Subject) -> Iterator[Finding]:
    """Warn of ``pii.allow`` where no guard restricts models or masks."""
    if any(guard.action in (None, "restrict_models", "mask") for _, guard in _pii(subject)):
        return
    for name, model in subject.config.models.items():
        if model.pii is not None:
            message = "no effect: no guard.pii has the action restrict_models or mask"
            yield Finding(("models", name, "pii"), message, warning=True, key=True)


def restricting_has_effect(subject: Subject) -> Iterator[Finding]:
    """Warn of restricting models of which each may see everything."""
    if any(model.pii is not None for model in subject.config.models.values()):
        return
    for place, guard in _pii(subject):
        if guard.action == "restrict_models" and (not isinstance(guard, DecisionPii) or guard.enabled):
            message = "restrict_models has no effect: no model has pii.allow, so each may see everything"
            yield Finding(place, message, warning=True, key=True)


def guards_need_the_processor(subject: Subject) -> Iterator[Finding]:
    """Warn where Envoy sends requests on without us although a guard should see them."""
    guarded = any(isinstance(guard, JailbreakGuard | PiiGuard) or guard.enabled for _, guard in _all(subject))
    if guarded and subject.config.envoy.on_processor_failure == "pass":
        message = "pass sends requests on unguarded while waypost is gone or late"
        yield Finding(("envoy", "on_processor_failure"), message, warning=True)


def taken_over_by(subject: Subject) -> Iterator[tuple[Place, str]]:
    """Iterate over the decisions to which guards route."""
    for place, guard in _jailbreak(subject):
        if guard.decision is not None:
            yield (*place, "decision"), guard.decision


def _all(subject: Subject) -> Iterator[tuple[Place, JailbreakGuard | DecisionJailbreak | PiiGuard | DecisionPii]]:
    yield from _jailbreak(subject)
    yield from _pii(subject)


def _jailbreak(subject: Subject) -> Iterator[tuple[Place, JailbreakGuard | DecisionJailbreak]]:
    guard = subject.config.guard.jailbreak
    if guard is not None:
        yield ("guard", "jailbreak"), guard
    for index, decision in enumerate(subject.config.routing.decisions):
        if decision.guard is not None and decision.guard.jailbreak is not None:
            yield ("routing", "decisions", index, "guard", "jailbreak"), decision.guard.jailbreak


def _pii(subject: Subject) -> Iterator[tuple[Place, PiiGuard | DecisionPii]]:
    guard = subject.config.guard.pii
    if guard is not None:
        yield ("guard", "pii"), guard
    for index, decision in enumerate(subject.config.routing.decisions):
        if decision.guard is not None and decision.guard.pii is not None:
            yield ("routing", "decisions", index, "guard", "pii"), decision.guard.pii


def _listed_exist(
    kind: str, place: Place, names: str | tuple[str, ...] | None, known: Collection[str]
) -> Iterator[Finding]:
    if names == ():
        if place[-1] != "allow":
            yield Finding(place, "needs at least one entry")
        return
    if isinstance(names, str):
        if names not in known:
            yield unknown(place, kind, names, known)
        return
    for index, name in enumerate(names or ()):
        if name not in known:
            yield unknown((*place, index), kind, name, known)
