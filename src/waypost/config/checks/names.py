"""Names that must exist, and names that must be unique."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Final

from waypost.config.checks.subject import Finding, Subject
from waypost.config.place import Place
from waypost.config.schema import BUNDLED
from waypost.config.suggest import did_you_mean
from waypost.guard.pii.types import PII_TYPES
from waypost.signals.names import ATTACKS, DOMAINS, LANGUAGES

__all__ = [
    "attacks_exist",
    "domains_exist",
    "families_exist",
    "keywords_exist",
    "languages_exist",
    "lengths_exist",
    "models_exist",
    "names_are_unique",
    "pii_types_exist",
    "unknown",
    "virtual_models_are_not_real",
]

_MEANT_LANGUAGE: Final = {
    "arabic": "ar", "chinese": "zh", "cn": "zh", "cz": "cs", "dk": "da", "dutch": "nl", "english": "en", "french": "fr",
    "german": "de", "gr": "el", "hindi": "hi", "italian": "it", "japanese": "ja", "jp": "ja", "korean": "ko",
    "kr": "ko", "nb": "no", "portuguese": "pt", "russian": "ru", "se": "sv", "spanish": "es", "ua": "uk", "vn": "vi",
}  # fmt: skip
"""What people write for a language: its English name, or the code of a country."""


def models_exist(subject: Subject) -> Iterator[Finding]:
    """Look up the models of decisions, ``default_model`` and ``baseline_model`` in the pool."""
    pool = subject.config.models
    used: list[tuple[Place, str]] = [((*place, "model"), choice.model) for place, choice in subject.choices()]
    used.append((("routing", "default_model"), subject.config.routing.default_model))
    if baseline := subject.config.observability.baseline_model:
        used.append((("observability", "baseline_model"), baseline))
    for place, name in used:
        if name in subject.config.routing.virtual_models and name not in pool:
            yield Finding(place, f"{name!r} is a virtual model; name one under models: {', '.join(pool)}")
        elif name not in pool:
            yield unknown(place, "model", name, pool)


def families_exist(subject: Subject) -> Iterator[Finding]:
    """Look up the reasoning families of models."""
    known = subject.config.reasoning_families
    for name, model in subject.config.models.items():
        if model.reasoning_family is not None and model.reasoning_family not in known:
            place = ("models", name, "reasoning_family")
            yield unknown(place, "reasoning family", model.reasoning_family, known, "reasoning_families")


def keywords_exist(subject: Subject) -> Iterator[Finding]:
    """Look up the keyword signals of rules."""
    known = [signal.name for signal in subject.config.routing.signals.keywords]
    yield from _all_known(subject, "keyword", known, "routing.signals.keywords")


def lengths_exist(subject: Subject) -> Iterator[Finding]:
    """Look up the length signals of rules."""
    known = [signal.name for signal in subject.config.routing.signals.lengths]
    yield from _all_known(subject, "length", known, "routing.signals.lengths")


def domains_exist(subject: Subject) -> Iterator[Finding]:
    """Look up the domains of rules among the bundled classifier's; what another knows shows when it is loaded."""
    if subject.config.classifiers.domain.model == BUNDLED:
        yield from _all_known(subject, "domain", DOMAINS)


def attacks_exist(subject: Subject) -> Iterator[Finding]:
    """Look up the attacks of rules among those that the classifier knows."""
    yield from _all_known(subject, "jailbreak", ATTACKS)


def pii_types_exist(subject: Subject) -> Iterator[Finding]:
    """Look up the personal data of rules among the types that the classifier knows."""
    yield from _all_known(subject, "pii", PII_TYPES)


def languages_exist(subject: Subject) -> Iterator[Finding]:
    """Look up the languages of rules among those that the detector can tell."""
    for place, name in subject.names("language"):
        if name not in LANGUAGES:
            base = name.casefold().replace("_", "-").partition("-")[0]
            meant = _MEANT_LANGUAGE.get(base, base)
            hint = f" (did you mean {meant!r}?)" if meant in LANGUAGES else "; write an ISO 639-1 code such as en or zh"
            yield Finding(place, f"unknown language {name!r}{hint}")


def names_are_unique(subject: Subject) -> Iterator[Finding]:
    """Refuse a second decision, signal of one kind or virtual model of the same name, and a decision's model twice."""
    routing = subject.config.routing
    signals = routing.signals
    yield from _repeated("decision", ("routing", "decisions"), [item.name for item in routing.decisions])
    yield from _repeated("keyword", ("routing", "signals", "keywords"), [item.name for item in signals.keywords])
    yield from _repeated("length", ("routing", "signals", "lengths"), [item.name for item in signals.lengths])
    yield from _repeated("virtual model", ("routing", "virtual_models"), routing.virtual_models, field=())
    for index, decision in enumerate(routing.decisions):
        models = [choice.model for choice in decision.models]
        yield from _repeated("model", ("routing", "decisions", index, "models"), models, field=("model",))


def virtual_models_are_not_real(subject: Subject) -> Iterator[Finding]:
    """Refuse a name that is both routed and a model of the pool."""
    for index, name in enumerate(subject.config.routing.virtual_models):
        if name in subject.config.models:
            place = ("routing", "virtual_models", index)
            yield Finding(place, f"{name!r} is also a model of the pool; a virtual model needs a name of its own")


def _all_known(subject: Subject, kind: str, known: Collection[str], section: str = "") -> Iterator[Finding]:
    for place, name in subject.names(kind):
        if name not in known:
            yield unknown(place, kind, name, known, section)


def unknown(place: Place, kind: str, name: str, known: Collection[str], section: str = "") -> Finding:
    """Say that there is no such name, and what was probably meant."""
    hint = did_you_mean(name, known) if known else f" (none is defined under {section})"
    return Finding(place, f"unknown {kind} {name!r}{hint}")


def _repeated(kind: str, place: Place, names: Iterable[str], field: Place = ("name",)) -> Iterator[Finding]:
    seen: dict[str, int] = {}
    for index, name in enumerate(names):
        if name in seen:
            yield Finding((*place, index, *field), f"the {kind} {name!r} is already at [{seen[name]}]")
        seen.setdefault(name, index)
