"""All workers: started together, reloaded one by one, and restarted with the configuration in force."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from waypost.config.load import Loaded
from waypost.config.units import HostPort
from waypost.errors import SetupError
from waypost.observe.merged import forget_gauges
from waypost.serve.supervise import Supervised
from waypost.serve.workers.messages import NOTICE_SECONDS, Serve, Written
from waypost.serve.workers.process import WorkerProcess

__all__ = ["Workers"]

log = logging.getLogger(__name__)


class Workers:
    """``count`` processes that serve ExtProc, each on a port of its own: that of ``listeners.extproc`` and the next.

    ``run_dir`` is where they count. ``count_restart`` is called for each one that is started again, ``retired`` when
    none of their requests uses an earlier configuration any more.
    """

    def __init__(
        self,
        count: int,
        loaded: Loaded,
        run_dir: Path,
        *,
        count_restart: Callable[[], None],
        retired: Callable[[], None],
    ) -> None:
        self.counts = run_dir / "counts"
        self.counts.mkdir(mode=0o700, parents=True, exist_ok=True)
        first = loaded.config.listeners.extproc
        self.addresses = [HostPort(first.host, first.port and first.port + place) for place in range(count)]
        """Of the ExtProc servers; from :meth:`start` on with the ports that are bound."""
        self._loaded = loaded
        self._retired = retired
        self._starting: dict[int, Loaded] = {}
        """The configuration that those begin with which do not count as alive yet, but may have requests."""
        self._places = [
            Supervised(f"worker {place}", partial(self._start, place), count_restart) for place in range(count)
        ]

    @property
    def count(self) -> int:
        """How many there should be."""
        return len(self._places)

    @property
    def alive(self) -> int:
        """How many serve."""
        return sum(1 for _ in self._alive())

    @property
    def pending(self) -> int:
        """Texts that wait for the encoders or are read by them; a second old at most."""
        return sum(worker.status.pending for worker in self._alive())

    @property
    def cache_counts(self) -> Counter[tuple[str, str]]:
        """What came of asking the cache, in those that serve; a second old at most. See :attr:`Cache.counts`."""
        counts: Counter[tuple[str, str]] = Counter()
        for worker in self._alive():
            for what, why, count in worker.status.cache:
                counts[what, why] += count
        return counts

    @property
    def settled(self) -> bool:
        """Whether none of their requests uses an earlier configuration than the one in force."""
        late = any(loaded is not self._loaded for loaded in self._starting.values())
        return not late and all(worker.settled for worker in self._alive())

    def failing(self, guard: str) -> str:
        """Say in which workers ``guard`` cannot tell, and why; empty when it can in all."""
        told = ((worker.name, worker.status.failing.get(guard)) for worker in self._alive())
        return "; ".join(f"{name}: {why}" for name, why in told if why)

    async def start(self) -> None:
        """Start all at once; returns when each serves. Raises SetupError when one cannot."""
        outcomes = await asyncio.gather(*(place.start() for place in self._places), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def reload(self, loaded: Loaded) -> None:
        """Put ``loaded`` in force, in one worker after the other. One that does not take it is started anew with it."""
        self._loaded = loaded
        for worker in list(self._alive()):
            try:
                await worker.reload(loaded)
            except SetupError as error:
                why = loaded.veil(str(error))
                log.error("%s does not take the new configuration and is started anew: %s", worker.name, why)  # noqa: TRY400
                await worker.kill()

    async def drain(self, grace: float, *, announced: bool) -> None:
        """Let requests finish for ``grace`` seconds, and end all. ``announced``: nobody sends new ones any more."""
        workers = [worker for place in self._places if (worker := place.release())]
        notice = 0.0 if announced else NOTICE_SECONDS
        await asyncio.gather(*(worker.drain(notice, grace) for worker in workers))

    async def kill(self) -> None:
        """End all at once."""
        await asyncio.gather(*(place.kill() for place in self._places))

    def _alive(self) -> Iterator[WorkerProcess]:
        return (worker for place in self._places if (worker := place.child))

    async def _start(self, place: int) -> WorkerProcess:
        self._starting[place] = self._loaded
        try:
            return await self._started(place, self._loaded)
        finally:
            if self._starting.pop(place) is not self._loaded:
                self._retired()

    async def _started(self, place: int, loaded: Loaded) -> WorkerProcess:
        forget_gauges(place, self.counts)
        first = Serve(config=Written.of(loaded), address=self.addresses[place], counts=str(self.counts))
        worker, ready = await WorkerProcess.start(place, first, self._retired)
        self.addresses[place] = ready.address
        try:
            while loaded is not self._loaded:  # it was reloaded while this one started
                loaded = self._loaded
                await worker.reload(loaded)
        except BaseException:
            await worker.kill()
            raise
        return worker
