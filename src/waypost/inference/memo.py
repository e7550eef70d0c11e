"""An encoder that reads a text once for everybody who asks.

Domain, jailbreak and PII of one request cost one pass, and so does the history that a conversation sends again with
each turn. Kept are digests and results, no text.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from waypost.inference.encoder import Encoder, Encoding
from waypost.inference.manifest import Manifest

__all__ = ["MemoEncoder"]

_KEPT: Final = 1024
"""Texts; 3 KB each."""

_Key = tuple[bytes, float | None]


@dataclass(slots=True)
class _Flight:
    """A text that is being read, and how many wait for it."""

    task: asyncio.Task[Encoding]
    waiting: int = 0


class MemoEncoder:
    """Shares the work of an encoder among those who ask for the same text, at once or one after the other.

    Who joins a reading under way shares its deadline. A reading ends when nobody waits for it any more.
    """

    def __init__(self, encoder: Encoder, kept: int = _KEPT) -> None:
        self._encoder = encoder
        self._size = kept
        self._kept: OrderedDict[_Key, Encoding] = OrderedDict()
        self._flights: dict[_Key, _Flight] = {}

    @property
    def manifest(self) -> Manifest:
        """The encoder's."""
        return self._encoder.manifest

    @property
    def pending(self) -> int:
        """Texts that wait or are read now."""
        return self._encoder.pending

    def close(self) -> None:
        """Close the encoder and forget everything."""
        self._encoder.close()
        self._kept.clear()

    async def encode(self, text: str, *, until: float | None = None) -> Encoding:
        """Encode one text, or give what is known of it. A whole reading also serves who would have stopped early."""
        digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        # In this order: a reading to the end is worth more.
        keys = dict.fromkeys(((digest, None), (digest, until)))
        for key in keys:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        key = next((key for key in keys if key in self._flights), (digest, until))
        return await self._board(key, text)

    async def _board(self, key: _Key, text: str) -> Encoding:
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight(asyncio.create_task(self._encoder.encode(text, until=key[1])))
            flight.task.add_done_callback(lambda task: self._landed(key, task))
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.task.done():
                self._flights.pop(key, None)
                flight.task.cancel()

    def _landed(self, key: _Key, task: asyncio.Task[Encoding]) -> None:
        if (flight := self._flights.get(key)) and flight.task is task:
            del self._flights[key]
        # Asking for the exception also tells asyncio that it was seen, should everybody have left meanwhile.
        if task.cancelled() or task.exception():
            return
        encoding = task.result()
        self._kept[key if encoding.stopped else (key[0], None)] = encoding
        while len(self._kept) > self._size:
            self._kept.popitem(last=False)
