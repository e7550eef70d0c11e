"""One upstream call for identical requests that come at once."""

from __future__ import annotations

import asyncio

__all__ = ["Flights"]


class Flights:
    """Who comes first goes to the backend; the others wait until it has landed, or for as long as they may."""

    def __init__(self) -> None:
        self._landed: dict[str, asyncio.Event] = {}

    def board(self, exact: str) -> bool:
        """Take the lead for a request; False when somebody else has it."""
        if exact in self._landed:
            return False
        self._landed[exact] = asyncio.Event()
        return True

    async def wait(self, exact: str, seconds: float) -> bool:
        """Wait until the one in the lead has landed; False when that took longer."""
        landed = self._landed.get(exact)
        if landed is None:
            return True
        try:
            async with asyncio.timeout(seconds):
                await landed.wait()
        except TimeoutError:
            return False
        return True

    def land(self, exact: str) -> None:
        """End a flight, with an answer in the store or without. Does nothing when there is none."""
        if landed := self._landed.pop(exact, None):
            landed.set()
