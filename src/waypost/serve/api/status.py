"""Whether requests would be served."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Status"]


@dataclass(frozen=True, slots=True)
class Status:
    """What ``/ready`` tells. Ready means that every check is True."""

    checks: Mapping[str, bool]
    config: str
    """Digest of the configuration in force."""
    reload_error: str = ""
    """Why the last reload was refused; empty when it was not."""
    guards: Mapping[str, str] = field(default_factory=dict)
    """The guards in force: ``ok``, or why one could not tell, lately. One that then blocks is also a check."""

    workers: tuple[int, int] | None = None
    """How many workers serve, and how many there should be; None when this process serves by itself."""

    @property
    def ready(self) -> bool:
        """Whether requests would be served."""
        return all(self.checks.values())
