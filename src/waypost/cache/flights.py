"""One upstream call for identical requests that come at once."""

from __future__ import annotations

import asyncio
from typing import Literal, TypeAlias

__all__ = ["Flights", "Landing"]

Landing: TypeAlias = Literal["kept", "unkept", "left"]
"""How a flight ended: its answer is in the store; it will not be; or nobody knows it, because its client left."""


class Flights:
    """Who comes first goes to the backend; the others wait until it has landed, or for as long as they may."""

    def __init__(self) -> None:
        self._flights: dict[str, asyncio.Future[Landing]] = {}

    def board(self, exact: str) -> bool:
        """Take the lead for a request; False when somebody else has it."""
        if exact in self._flights:
            return False
        self._flights[exact] = asyncio.get_running_loop().create_future()
        return True

    async def wait(self, exact: str, until: float) -> Landing | None:
        """Wait for the one in the lead, and tell how that ended; None when it took longer.

        ``until``: by the event loop's clock.
        """
        flight = self._flights.get(exact)
        if flight is None:
            return "unkept"
        # Neither the end of its time nor whoever stops waiting ends the flight for the others.
        await asyncio.wait((flight,), timeout=until - asyncio.get_running_loop().time())
        return flight.result() if flight.done() else None

    def land(self, exact: str, landing: Landing) -> None:
        """End a flight. Does nothing when there is none."""
        if flight := self._flights.pop(exact, None):
            flight.set_result(landing)
