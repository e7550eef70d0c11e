"""A child process that never outlives us and never sees the terminal's Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from waypost.errors import SetupError
from waypost.serve import leash

__all__ = ["Child", "without_secrets"]

_KEPT: Final = frozenset(
    (
        "PATH",
        "HOME",
        "LANG",
        "LANGUAGE",
        "TZ",
        "TMPDIR",
        "LD_LIBRARY_PATH",
        "LD_PRELOAD",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
    )
)
_KEPT_BEGINNINGS: Final = ("LC_", "PYTHON", "OMP_", "GGML_")
"""Of the locale, and of what tunes the interpreter and the inference of the demo LLM."""


def without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """Choose what a program that is not ours may know of the environment, which holds keys, tokens and passwords."""
    return {name: value for name, value in environ.items() if name in _KEPT or name.startswith(_KEPT_BEGINNINGS)}


class Child:
    """A running program whose output goes to a log file, or to where ours goes."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path | None) -> None:
        self.name = name
        self.log = log
        self._process = process
        # One waiter that nobody cancels: uvloop sets the results of its own a moment late, cancelled ones included.
        self._end = asyncio.create_task(process.wait(), name=f"end of {name}")

    @classmethod
    async def spawn(
        cls,
        name: str,
        arguments: Sequence[str],
        log: Path | None,
        environ: Mapping[str, str] | None = None,
        stdin: int = asyncio.subprocess.DEVNULL,
    ) -> Child:
        """Start ``arguments``. Raises SetupError when no process can be made.

        ``log`` None: its output is among ours. ``environ`` None: ours, secrets included; see :func:`without_secrets`.
        ``stdin``: a descriptor, such as a socket to talk over.
        A program that cannot be executed ends at once, with the reason in its log.
        """
        with log.open("wb") if log else contextlib.nullcontext() as output:
            try:
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-I", "-S", leash.__file__, str(os.getpid()), *arguments),
                    stdin=stdin,
                    stdout=output,
                    stderr=output,
                    env=environ,
                )
            except OSError as error:
                raise SetupError(f"{name} cannot be started: {error}") from error
        return cls(name, process, log)

    @property
    def pid(self) -> int:
        """The process id, which is also that of its process group."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative when a signal ended it."""
        return self._process.returncode

    async def wait(self) -> int:
        """Wait for the end; returns the exit code."""
        return await asyncio.shield(self._end)

    async def until(self, ready: Callable[[], Awaitable[bool]], within: float, interval: float = 0.02) -> None:
        """Poll ``ready`` until it is true. Raises SetupError when the child dies first, or after ``within`` seconds."""
        deadline = asyncio.get_running_loop().time() + within
        while not await ready():
            if self.exit_code is not None:
                raise SetupError(f"{self.name} ended at its start with code {self.exit_code}: {self.last_words()}")
            if asyncio.get_running_loop().time() > deadline:
                raise SetupError(f"{self.name} was not ready after {within:g} s: {self.last_words()}")
            await asyncio.sleep(interval)

    async def stop(self, grace: float) -> None:
        """SIGTERM, then SIGKILL after ``grace`` seconds."""
        self._send(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.wait(), grace)
        await self.kill()

    async def kill(self) -> int:
        """End it at once, if it has not ended; returns the exit code, negative for a signal."""
        self._send(signal.SIGKILL)
        return await self.wait()

    def last_words(self, lines: int = 3) -> str:
        """The end of its log, on one line."""
        if self.log is None:
            return "its last words are above"
        text = self.log.read_text(errors="replace").strip().splitlines()[-lines:]
        return f"{' | '.join(text) or 'it said nothing'} (whole log: {self.log})"

    def _send(self, number: signal.Signals) -> None:
        if self.exit_code is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)
