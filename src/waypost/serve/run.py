"""``waypost serve``: from the command line to the exit code."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from waypost.config.load import Loaded, load
from waypost.observe import log as logs
from waypost.serve.banner import start_up_block
from waypost.serve.loop import loop_factory
from waypost.serve.router import Router
from waypost.serve.watch import changes, digest_of_file

__all__ = ["run"]

log = logging.getLogger(__name__)

_INTERRUPTED = 130
_LAST_SECONDS = 2.0
_RETRY_SECONDS = 5.0
_UNWATCHED = "%s cannot be watched, so changes are found up to %g s late; SIGHUP reads it at once: %s"


def run(path: Path, workers: int = 1) -> int:
    """Serve ``path`` until a signal; returns the exit code. Raises ConfigError or SetupError when it cannot start.

    ``workers``: how many processes route requests; with one it is this process.
    """
    began = time.perf_counter()
    loaded = load(path, os.environ, workers=workers)
    logs.configure(loaded.config.observability.logs)
    for warning in loaded.warnings:
        log.warning("%s", warning)
    with (
        loaded.veil.over_errors(),
        tempfile.TemporaryDirectory(prefix="waypost-") as run_dir,
        asyncio.Runner(loop_factory=loop_factory()) as runner,
    ):
        return runner.run(_serve(loaded, Path(run_dir), workers, began))


async def _serve(loaded: Loaded, run_dir: Path, workers: int, began: float) -> int:
    first, second, reload = asyncio.Event(), asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _set_next, first, second)
    loop.add_signal_handler(signal.SIGHUP, reload.set)
    router = Router(loaded, run_dir, workers)
    try:
        start = asyncio.create_task(router.start())
        if not await _finished(start, unless=first):
            start.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await start
            return _INTERRUPTED
        print(start_up_block(router.live, router.processors, time.perf_counter() - began), file=sys.stderr, flush=True)
        followers = [asyncio.create_task(_watch(loaded.path, reload)), asyncio.create_task(_reload(router, reload))]
        if loaded.path.is_file():
            reload.set()  # it may have changed while we started
        await first.wait()
        for follower in followers:
            follower.cancel()
        log.info("draining; Ctrl-C again stops at once")
        drain = asyncio.create_task(router.drain())
        if await _finished(drain, unless=second):
            return 0
        await router.kill()
        await asyncio.wait((drain,), timeout=_LAST_SECONDS)  # what it waited for is gone
        return _INTERRUPTED
    finally:
        await router.kill()


def _set_next(first: asyncio.Event, second: asyncio.Event) -> None:
    (second if first.is_set() else first).set()


async def _finished(task: asyncio.Task[None], *, unless: asyncio.Event) -> bool:
    """Wait for ``task``, and raise what it raises; False when ``unless`` comes first."""
    stop = asyncio.create_task(unless.wait())
    await asyncio.wait((task, stop), return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if task.done():
        task.result()
    return task.done()


async def _watch(path: Path, changed: asyncio.Event) -> None:
    seen, told = digest_of_file(path), ""
    while True:
        try:
            async for now in changes(path, seen):
                seen = now
                changed.set()
        except Exception as error:  # noqa: BLE001  (the edge of a background task, which must go on trying)
            if (why := repr(error)) != told:
                told = why
                log.error(_UNWATCHED, path, _RETRY_SECONDS, why, extra={"event": "config_watch_failed"})  # noqa: TRY400
        await asyncio.sleep(_RETRY_SECONDS)


async def _reload(router: Router, asked: asyncio.Event) -> None:
    while await asked.wait():
        asked.clear()
        await router.reload()
