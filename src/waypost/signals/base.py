"""What a signal is. To add one: a file here, a key in ``config.schema.Rule``, a test, a line in the docs."""

from __future__ import annotations

from typing import Protocol

from waypost.types import Request, SignalResult

__all__ = ["Signal"]


class Signal(Protocol):
    """Measures one kind of fact about a request."""

    @property
    def kind(self) -> str:
        """The key that rules use: ``keyword``, ``language``, ``length``, ``domain``."""
        ...

    @property
    def cost(self) -> float:
        """Typical seconds for one request; cheap signals are measured first."""
        ...

    async def measure(self, request: Request) -> SignalResult:
        """Measure. Never raises: a measurement that fails is a result with ``unknown`` set."""
        ...
