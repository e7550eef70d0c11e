"""Signal ``pii``: which types of personal data stand in a request."""

from __future__ import annotations

from typing import Final

from waypost.guard.personal import PersonalData
from waypost.types import Request, SignalResult

__all__ = ["PiiSignal"]


class PiiSignal:
    """Matches each type that stands in a message, as the guard finds it: by recognisers and the token classifier.

    Scores are those of the surest finding of each type.
    """

    kind: Final = "pii"
    cost: Final = 0.011

    def __init__(self, data: PersonalData) -> None:
        self._data = data

    async def measure(self, request: Request) -> SignalResult:
        """Search every message. Without text there is nothing; when the encoder fails every type is unknown."""
        return (await self._data.search([message.text for message in request.messages], {})).result
