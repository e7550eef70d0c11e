"""The Envoy that we run: start, change while it serves, drain, end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from waypost.config.schema import Config, Envoy
from waypost.config.units import HostPort
from waypost.errors import SetupError
from waypost.serve.child import Child, without_secrets
from waypost.serve.envoy.admin import Admin
from waypost.serve.envoy.binary import envoy_binary
from waypost.serve.envoy.bootstrap import bootstrap
from waypost.serve.envoy.config import EnvoyConfig, render
from waypost.serve.envoy.files import prepare, validate, write
from waypost.serve.envoy.layout import Layout
from waypost.serve.envoy.trust import secrets
from waypost.serve.envoy.updates import Updates
from waypost.serve.ports import require_free

__all__ = ["EnvoyProcess"]

_log = logging.getLogger(__name__)

_START_TIMEOUT: Final = 30.0
_QUIT_TIMEOUT: Final = 5.0
_OLD_LISTENER: Final = 86_400
"""Seconds until Envoy cuts what a listener of before a reload still sends, however alive it is; so a day. Our own drain
does not wait for it."""
_POLL: Final = 0.02


class EnvoyProcess:
    """A running Envoy, made by :meth:`start`. A dead one is replaced by starting another in the same directory."""

    def __init__(self, child: Child, admin: Admin, updates: Updates, layout: Layout) -> None:
        self.admin = admin
        self.layout = layout
        self._child = child
        self._updates = updates
        self._changing = asyncio.Lock()

    @classmethod
    async def start(cls, run_dir: Path, config: Config, processors: Sequence[HostPort]) -> EnvoyProcess:
        """Spawn Envoy and wait until it serves ``config``; ``processors`` are the ExtProc servers.

        The calling thread must live as long as Envoy is to: its end is the end of Envoy, too.
        Raises SetupError when the port is taken, there is no Envoy or it dies; ConfigError when it refuses ``config``.
        """
        require_free("listeners.http", config.listeners.http)
        layout = prepare(run_dir)
        rendered = await _judged(config, processors, layout)
        write(layout.bootstrap, bootstrap(layout, config.envoy.max_connections))
        if config.tls.extproc and config.tls.extproc.envoy:
            for name, content in secrets(config.tls.extproc.envoy).items():
                write(layout.secret(name), content)
        admin = Admin(layout.admin)
        updates = Updates(layout, admin, rendered)
        child = await Child.spawn("Envoy", _command(config.envoy, layout), layout.log, without_secrets(os.environ))
        process = cls(child, admin, updates, layout)
        try:
            await child.until(process._serves, _START_TIMEOUT)
        except BaseException:
            await process.kill()
            raise
        return process

    @property
    def pid(self) -> int:
        """The process id."""
        return self._child.pid

    async def apply(self, config: Config, processors: Sequence[HostPort]) -> None:
        """Follow ``config``, and still serve the models of before until :meth:`retire`.

        ``envoy.concurrency`` and ``envoy.max_connections`` need a restart. Raises ConfigError or SetupError when Envoy
        does not take the new configuration; the old one stays in force.
        """
        async with self._changing:
            await self._updates.switch(await _judged(config, processors, self.layout))

    async def retire(self) -> None:
        """Drop the models that the last :meth:`apply` left out. Answers that run already are not cut.

        Only when no request is left that may still choose one of them: it would go to the default model, or get a 503.
        """
        async with self._changing:
            await self._updates.retire()

    async def drain(self, grace: float) -> int:
        """Take no new connections, give running requests ``grace`` seconds, and end; returns the exit code."""
        with contextlib.suppress(SetupError):  # it has ended already
            await self.admin.drain()
            await self._idle(grace)
            await self.admin.quit()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._child.wait(), _QUIT_TIMEOUT)
        return await self.kill()

    async def kill(self) -> int:
        """End it at once, if it has not ended; returns the exit code, negative for a signal."""
        code = await self._child.kill()
        await self.admin.close()
        return code

    async def wait(self) -> int:
        """Wait until it ends, by itself or otherwise; returns the exit code, negative for a signal."""
        return await self._child.wait()

    def last_words(self) -> str:
        """Quote the end of Envoy's log, on one line, for the message about a crash."""
        return self._child.last_words()

    async def _idle(self, grace: float) -> None:
        deadline = asyncio.get_running_loop().time() + grace
        while running := await self.admin.active_requests():
            if asyncio.get_running_loop().time() > deadline:
                _log.warning("%d requests still ran after %g s and are cut off", running, grace)
                return
            await asyncio.sleep(_POLL)

    async def _serves(self) -> bool:
        return await self.admin.ready() and await self._updates.in_force()


async def _judged(config: Config, processors: Sequence[HostPort], layout: Layout) -> EnvoyConfig:
    rendered = render(config, processors, layout)
    await asyncio.to_thread(validate, layout, rendered.standalone)
    return rendered


def _command(envoy: Envoy, layout: Layout) -> list[str]:
    return [
        str(envoy_binary()),
        *("--config-path", str(layout.bootstrap)),
        *("--concurrency", str(envoy.concurrency)),
        *("--drain-time-s", str(_OLD_LISTENER)),
        *("--drain-strategy", "immediate"),
        *("--log-level", "warning"),
        "--disable-hot-restart",
    ]
