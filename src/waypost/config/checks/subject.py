"""What a check looks at and what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from waypost.config.place import Place
from waypost.config.schema import Config, ModelChoice, Rule

__all__ = ["SIGNALS", "Check", "Finding", "Subject", "leaves", "walk"]

SIGNALS: Final = ("keyword", "language", "length", "domain", "jailbreak", "pii")
"""The keys of a rule that name a signal."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake, or (``warning``) something without effect or with a risk."""

    place: Place
    message: str
    warning: bool = False
    key: bool = False
    """The mistake is the key at ``place``, not its value."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A configuration that fits the schema, and what it will run in."""

    config: Config
    environ: Mapping[str, str]
    workers: int = 1
    """Processes that are to serve it."""

    def rules(self) -> Iterator[tuple[Place, Rule]]:
        """Iterate over every rule of every decision, the outer ones first."""
        for index, decision in enumerate(self.config.routing.decisions):
            if decision.when is not None:
                yield from walk(decision.when, ("routing", "decisions", index, "when"))

    def names(self, kind: str) -> Iterator[tuple[Place, str]]:
        """Iterate over every name that a rule uses of one kind of signal."""
        for place, rule in self.rules():
            yield from leaves(rule, kind, place)

    def choices(self) -> Iterator[tuple[Place, ModelChoice]]:
        """Iterate over every model of every decision."""
        for index, decision in enumerate(self.config.routing.decisions):
            for position, choice in enumerate(decision.models):
                yield ("routing", "decisions", index, "models", position), choice


Check = Callable[[Subject], Iterator[Finding]]


def walk(rule: Rule, place: Place) -> Iterator[tuple[Place, Rule]]:
    """Iterate over ``rule`` and all rules inside it."""
    yield place, rule
    for key, children in (("all", rule.all), ("any", rule.any)):
        for index, child in enumerate(children or ()):
            yield from walk(child, (*place, key, index))
    if rule.not_ is not None:
        yield from walk(rule.not_, (*place, "not"))


def leaves(rule: Rule, kind: str, place: Place) -> Iterator[tuple[Place, str]]:
    """Iterate over the names that ``rule`` itself (not the rules inside it) uses of one kind of signal."""
    named: str | tuple[str, ...] | None = getattr(rule, kind)
    if isinstance(named, str):
        yield (*place, kind), named
    else:
        for index, name in enumerate(named or ()):
            yield (*place, kind, index), name
