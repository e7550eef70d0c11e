"""One answer on its way back: read for its usage, checked by guards, masked values put back."""

from __future__ import annotations

from waypost.guard.answer import AnswerGuard
from waypost.types import Usage, Verdict
from waypost.wire.restore import Restorer
from waypost.wire.usage import UsageReader

__all__ = ["Answer"]


class Answer:
    """Fed the pieces of one answer's body. Guards see what the model wrote; only then are the client's values in it."""

    def __init__(self, content_type: str, guard: AnswerGuard | None, restorer: Restorer | None) -> None:
        self._usage = UsageReader(content_type)
        self._guard = guard
        self.checked = guard is None
        """Whether nothing of it is left for a guard to judge."""
        self._restorer = restorer

    @property
    def changes(self) -> bool:
        """Whether the client may get other bytes than the backend sent."""
        return self._guard is not None or self._restorer is not None

    @property
    def began(self) -> bool:
        """Whether the model has generated something."""
        return self._usage.first_token

    @property
    def usage(self) -> Usage | None:
        """What the backend reported, once the answer is over."""
        return self._usage.result()

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """What guards found in it."""
        return self._guard.verdicts if self._guard else ()

    async def feed(self, data: bytes, *, last: bool) -> bytes | None:
        """Take a piece; return what goes on in its place, None to let it pass as it is."""
        self._usage.feed(data)
        if not self.changes:
            return None
        if self._guard:
            data = await self._guard.feed(data, last=last)
            self.checked = last
        if self._restorer:
            data = self._restorer.feed(data)
            if last:
                data += self._restorer.end()
        return data
