"""One worker, as its supervisor sees it."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from collections.abc import Callable
from typing import Final, TypeVar

from waypost.config.load import Loaded
from waypost.errors import SetupError
from waypost.serve.child import Child
from waypost.serve.workers.channel import Channel
from waypost.serve.workers.messages import (
    STATUS_SECONDS,
    Drain,
    Message,
    Ready,
    Refused,
    Reload,
    Reloaded,
    Retired,
    Serve,
    Status,
    Written,
)

__all__ = ["WorkerProcess"]

log = logging.getLogger(__name__)

_PATIENCE: Final = 60.0
"""Seconds for a start or a reload: beyond it the worker hangs, and another may do better."""
_END: Final = 5.0
"""Seconds to write what was counted, traced and cached."""
_SILENCE: Final = 30.0
"""Seconds without a word after which it hangs; Envoy sends it no requests long before."""
_MODULE: Final = "waypost.serve.workers.worker"

M = TypeVar("M", Ready, Reloaded)


class WorkerProcess:
    """A running worker, made by :meth:`start`. ``changed`` is called when it has retired what it served before."""

    def __init__(self, name: str, child: Child, channel: Channel, changed: Callable[[], None]) -> None:
        self.name = name
        self.status = Status()
        self.settled = True
        """Whether none of its requests uses an earlier configuration."""
        self._child = child
        self._channel = channel
        self._changed = changed
        self._answer: asyncio.Future[Message] | None = None
        """To what was asked last."""
        self._silent = 0.0
        self._listener = asyncio.create_task(self._listen(), name=f"listen to {name}")
        self._watcher: asyncio.Task[None] | None = None

    @classmethod
    async def start(cls, place: int, first: Serve, changed: Callable[[], None]) -> tuple[WorkerProcess, Ready]:
        """Spawn worker number ``place`` and wait until it serves. Raises SetupError when it cannot."""
        name = f"worker {place}"
        ours, theirs = socket.socketpair()
        with theirs:
            channel = await Channel.open(ours)
            # -P: nothing is imported from the directory that we were started in.
            arguments = [sys.executable, "-P", "-m", _MODULE, str(place)]
            try:
                child = await Child.spawn(name, arguments, None, stdin=theirs.fileno())
            except BaseException:
                await channel.close()
                raise
        worker = cls(name, child, channel, changed)
        try:
            ready = await worker._ask(first, Ready)
        except BaseException:
            await worker.kill()
            raise
        worker._watcher = asyncio.create_task(worker._watch(), name=f"watch {name}")
        return worker, ready

    async def reload(self, loaded: Loaded) -> None:
        """Have it serve ``loaded``; returns when new requests do. Raises SetupError when it does not."""
        self.settled = False
        await self._ask(Reload(config=Written.of(loaded)), Reloaded)

    async def drain(self, notice: float, grace: float) -> None:
        """Let its requests finish, and end it; at once after ``grace`` seconds. ``notice``: see :class:`Drain`."""
        self._channel.send(Drain(notice=notice))
        try:
            await asyncio.wait_for(self.wait(), notice + grace + _END)
        except TimeoutError:
            await self.kill()

    async def wait(self) -> int:
        """Wait for its end; returns the exit code, negative for a signal."""
        code = await self._child.wait()
        await asyncio.shield(self._listener)
        return code

    async def kill(self) -> int:
        """End it at once; returns the exit code, negative for a signal."""
        await self._child.kill()
        return await self.wait()

    async def _ask(self, what: Serve | Reload, answer: type[M]) -> M:
        if self._listener.done():
            raise SetupError(f"{self.name} has ended")
        self._answer = asyncio.get_running_loop().create_future()
        self._channel.send(what)
        try:
            found = await asyncio.wait_for(self._answer, _PATIENCE)
        except TimeoutError:
            raise SetupError(f"{self.name} did not answer in {_PATIENCE:g} s") from None
        if isinstance(found, answer):
            return found
        raise SetupError(found.why if isinstance(found, Refused) else f"{self.name} answered with {found.kind}")

    async def _listen(self) -> None:
        try:
            while (message := await self._channel.receive()) is not None:
                self._take(message)
        except ValueError:  # another version of us, after an upgrade of the package below a running supervisor
            log.exception("%s says what nobody understands, and is killed", self.name)
            await self._child.kill()
        if self._watcher:
            self._watcher.cancel()
        await self._channel.close()
        code = await self._child.wait()
        if self._answer and not self._answer.done():
            self._answer.set_exception(SetupError(f"{self.name} ended with code {code}; its last words are above"))
        self._settle()

    def _take(self, message: Message) -> None:
        self._silent = 0.0
        match message:
            case Status():
                self.status = message
            case Retired():
                self._settle()
            case _ if self._answer and not self._answer.done():
                if isinstance(message, Reloaded):
                    self.settled = message.settled  # here: that it has retired may be the next line
                self._answer.set_result(message)

    async def _watch(self) -> None:
        # Counts its own rounds instead of looking at a clock: while the whole machine stands still, nobody hangs.
        while self._silent < _SILENCE:
            self._silent += STATUS_SECONDS
            await asyncio.sleep(STATUS_SECONDS)
        log.error("%s has said nothing for %g s and is killed", self.name, _SILENCE)
        await self._child.kill()

    def _settle(self) -> None:
        self.settled = True
        self._changed()
