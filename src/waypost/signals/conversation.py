"""Reading every message of a request, whatever its role: an attack or an address may stand in any of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from waypost.errors import DeadlineExceeded
from waypost.inference.encoder import Encoder, Encoding
from waypost.types import Request

__all__ = ["Conversation", "ConversationReader"]

_CHARACTERS_PER_TOKEN: Final = 4
"""For what was not even tokenized."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """What the encoder made of the messages that were read."""

    encodings: Sequence[Encoding]
    """The newest message's first."""
    skipped_tokens: int
    """Left out by the work cap, within messages and in whole ones."""


class ConversationReader:
    """Reads messages from the newest to the oldest, one at a time, up to a number of windows in all."""

    def __init__(self, encoder: Encoder, *, deadline: float, max_windows: int) -> None:
        """``deadline``: seconds for the whole conversation."""
        self._encoder = encoder
        self._deadline = deadline
        self._max_windows = max_windows

    async def read(
        self, request: Request, *, until: float | None = None, enough: Callable[[Encoding], bool] | None = None
    ) -> Conversation:
        """Read, and stop early after a message for which ``enough`` is true. Raises InferenceError.

        ``until`` is for :meth:`waypost.inference.encoder.Encoder.encode`.
        """
        texts = list(dict.fromkeys(message.text for message in reversed(request.messages) if message.text.strip()))
        try:
            async with asyncio.timeout(self._deadline):
                return await self._read(texts, until, enough)
        except TimeoutError as error:
            raise DeadlineExceeded(f"the conversation was not read within {self._deadline:g} s") from error

    async def _read(
        self, texts: list[str], until: float | None, enough: Callable[[Encoding], bool] | None
    ) -> Conversation:
        encodings: list[Encoding] = []
        windows = 0
        for text in texts:
            if windows >= self._max_windows:
                break
            encodings.append(await self._encoder.encode(text, until=until))
            windows += encodings[-1].windows
            if enough is not None and enough(encodings[-1]):
                return Conversation(encodings, 0)
        unread = sum(-(-len(text) // _CHARACTERS_PER_TOKEN) for text in texts[len(encodings) :])
        return Conversation(encodings, unread + sum(encoding.skipped_tokens for encoding in encodings))
