"""Messages over a pair of connected sockets."""

from __future__ import annotations

import asyncio
import socket
from typing import Final

from waypost.serve.workers.messages import Message, decode, encode

__all__ = ["Channel"]

_LONGEST: Final = 16 * 2**20
"""Bytes of a line: a configuration of 1 MiB whose every character is escaped has 6."""


class Channel:
    """One end. Whoever holds the other one has made both."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, end: socket.socket) -> Channel:
        """Take over one end of a pair."""
        return cls(*await asyncio.open_unix_connection(sock=end, limit=_LONGEST))

    def send(self, message: Message) -> None:
        """Say something; never waits. What nobody hears any more is dropped."""
        if not self._writer.is_closing():
            self._writer.write(encode(message))

    async def receive(self) -> Message | None:
        """Wait for the next message; None when the other side has ended. Raises ValueError for anything else."""
        try:
            line = await self._reader.readline()
        except ConnectionError:
            return None
        return decode(line) if line.endswith(b"\n") else None

    async def close(self) -> None:
        """Send what waits, and close."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except ConnectionError:
            return
