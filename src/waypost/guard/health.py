"""Whether the guards could tell, lately."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from waypost.config.schema import Config
from waypost.guard.scope import every
from waypost.types import GuardName

__all__ = ["GuardHealth", "GuardState", "states"]

_LATELY: Final = 30.0
"""Seconds. Who sends no requests because we are not ready must not keep us from being ready for ever."""


@dataclass(slots=True)
class GuardHealth:
    """Remembers the last failure of each guard, until the guard succeeds or some time has gone by."""

    clock: Callable[[], float] = time.monotonic
    _failures: dict[GuardName, tuple[float, str]] = field(default_factory=dict)

    def note(self, guard: GuardName, error: str) -> None:
        """Take the outcome of a measurement; ``error`` is empty when it went well."""
        if error:
            self._failures[guard] = (self.clock(), error)
        else:
            self._failures.pop(guard, None)

    def error(self, guard: GuardName) -> str:
        """Return why the guard fails; empty when it does not."""
        since, error = self._failures.get(guard, (0.0, ""))
        return error if error and self.clock() - since < _LATELY else ""


@dataclass(frozen=True, slots=True)
class GuardState:
    """One guard as ``/ready`` shows it."""

    error: str
    """Why it cannot tell; empty while it can."""
    blocks: bool
    """What it cannot tell of is blocked, on some decision at least."""


def states(config: Config, health: GuardHealth) -> Mapping[GuardName, GuardState]:
    """Return the state of each guard that watches some requests."""
    names: tuple[GuardName, ...] = ("jailbreak", "pii")
    found = {}
    for name in names:
        guards = [guard for each in every(config) if (guard := getattr(each, name))]
        if guards:
            blocks = any(guard.on_error == "block" and guard.action != "log" for guard in guards)
            found[name] = GuardState(health.error(name), blocks)
    return found
