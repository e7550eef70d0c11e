"""Which guards watch a request: those of the whole configuration, as the decision that won changes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from waypost.config.guarding import DecisionGuard, DecisionJailbreak, DecisionPii, GuardConfig, JailbreakGuard, PiiGuard
from waypost.config.schema import Config

__all__ = ["Guards", "every", "in_force"]

G = TypeVar("G", JailbreakGuard, PiiGuard)


@dataclass(frozen=True, slots=True)
class Guards:
    """The guards of one request; None for one that does not watch it."""

    jailbreak: JailbreakGuard | None = None
    pii: PiiGuard | None = None


def in_force(everywhere: GuardConfig, here: DecisionGuard | None) -> Guards:
    """Overlay the keys that a decision writes; ``here`` is None where no decision won."""
    if here is None:
        return Guards(everywhere.jailbreak, everywhere.pii)
    return Guards(
        _overlaid(everywhere.jailbreak, here.jailbreak, JailbreakGuard()),
        _overlaid(everywhere.pii, here.pii, PiiGuard()),
    )


def every(config: Config) -> Iterator[Guards]:
    """Iterate over all that may be in force: without a decision, and for each."""
    yield in_force(config.guard, None)
    for decision in config.routing.decisions:
        yield in_force(config.guard, decision.guard)


def _overlaid(everywhere: G | None, here: DecisionJailbreak | DecisionPii | None, default: G) -> G | None:
    if here is None:
        return everywhere
    if not here.enabled:
        return None
    written = {name: getattr(here, name) for name in here.model_fields_set - {"enabled"}}
    changes = {name: value for name, value in written.items() if value is not None}
    return (everywhere or default).model_copy(update=changes)
