"""Rules and the signals they are made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from waypost.config.checks.subject import SIGNALS, Finding, Subject

__all__ = ["lengths_are_ranges", "regexes_compile", "rules_are_not_empty", "signals_are_used"]

_LISTS: Final = ("all", "any", *SIGNALS)


def rules_are_not_empty(subject: Subject) -> Iterator[Finding]:
    """Refuse empty lists: nobody means what they are by logic."""
    for place, rule in subject.rules():
        for key in _LISTS:
            if getattr(rule, key) == ():
                yield Finding((*place, key), "needs at least one entry")


def lengths_are_ranges(subject: Subject) -> Iterator[Finding]:
    """Refuse lengths that nothing or everything has."""
    for index, signal in enumerate(subject.config.routing.signals.lengths):
        place = ("routing", "signals", "lengths", index)
        if signal.max_tokens is None and signal.min_tokens == 0:
            yield Finding(place, f"the length {signal.name!r} needs min_tokens or max_tokens")
        elif signal.max_tokens is not None and signal.min_tokens > signal.max_tokens:
            message = f"min_tokens {signal.min_tokens} is above max_tokens {signal.max_tokens}"
            yield Finding((*place, "min_tokens"), message)


def regexes_compile(subject: Subject) -> Iterator[Finding]:
    """Compile the terms of keywords with ``regex: true``."""
    for index, signal in enumerate(subject.config.routing.signals.keywords):
        if not signal.regex:
            continue
        for field in ("any", "all", "none"):
            for position, term in enumerate(getattr(signal, field)):
                if mistake := _regex_mistake(term):
                    place = ("routing", "signals", "keywords", index, field, position)
                    yield Finding(place, f"invalid regular expression: {mistake}")


def signals_are_used(subject: Subject) -> Iterator[Finding]:
    """Warn of a signal that no rule names."""
    signals = subject.config.routing.signals
    defined = {"keyword": [item.name for item in signals.keywords], "length": [item.name for item in signals.lengths]}
    for kind, names in defined.items():
        used = {name for _, name in subject.names(kind)}
        for index, name in enumerate(names):
            if name not in used:
                place = ("routing", "signals", f"{kind}s", index, "name")
                yield Finding(place, f"no rule uses the {kind} {name!r}", warning=True)


def _regex_mistake(term: str) -> str:
    import regex

    try:
        regex.compile(term)
    except regex.error as error:
        return str(error)
    except RecursionError:
        return "nested too deeply"
    return ""
