"""Workers that do as they are told, over real channels."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator

import pytest

from waypost.config.units import HostPort
from waypost.serve.workers import process
from waypost.serve.workers.channel import Channel
from waypost.serve.workers.messages import Message, Ready, Reload, Reloaded, Serve

ADDRESS = HostPort("127.0.0.1", 5)


class FakeChild:
    """A worker's process and what runs in it: the other end of the channel, which answers with ``answers``."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[Message] = asyncio.Queue()
        self.answers: dict[type[Message], Message | None] = {
            Serve: Ready(address=ADDRESS),
            Reload: Reloaded(settled=True),
        }
        """What it says to what; None: nothing."""
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def run(self, end: socket.socket) -> None:
        self.channel = await Channel.open(end)
        self.running = asyncio.create_task(self._obey())

    async def _obey(self) -> None:
        while (message := await self.channel.receive()) is not None:
            self.asked.put_nowait(message)
            if answer := self.answers.get(type(message)):
                self.channel.send(answer)

    def end(self, code: int) -> None:
        if not self._ended.done():
            self._ended.set_result(code)
            self.running.cancel()
            self.closing = asyncio.create_task(self.channel.close())

    async def wait(self) -> int:
        return await asyncio.shield(self._ended)

    async def kill(self) -> int:
        self.end(-9)
        return await self._ended


class Program:
    """Spawns them."""

    def __init__(self) -> None:
        self.children: list[FakeChild] = []
        self.answers: dict[type[Message], Message | None] = {}
        """What those say that are spawned from now on."""

    async def spawn(self, *_: object, stdin: int) -> FakeChild:
        child = FakeChild()
        child.answers |= self.answers
        await child.run(socket.socket(fileno=os.dup(stdin)))
        self.children.append(child)
        return child


@pytest.fixture
async def program(monkeypatch) -> AsyncIterator[Program]:
    """What is spawned instead of real processes."""
    program = Program()
    monkeypatch.setattr(process, "Child", program)
    yield program
    for child in program.children:
        child.end(0)
        await child.closing
