"""Blocking work off the event loop: few threads, a bounded queue, a deadline for each piece of work."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from waypost.errors import DeadlineExceeded, InferenceError, Overloaded

__all__ = ["Abandoned", "WorkerPool"]

T = TypeVar("T")

Abandoned = Callable[[], bool]
"""True once nobody waits for the result any more; long work asks now and then, and stops."""


class WorkerPool:
    """Runs work on ``threads`` threads while at most ``queue`` more pieces wait."""

    def __init__(self, threads: int, queue: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="waypost-inference")
        self._capacity = threads + queue
        self._pending = 0
        self._closed = False
        self._lock = threading.Lock()

    @property
    def pending(self) -> int:
        """Pieces of work that wait or run now."""
        return self._pending

    async def run(self, work: Callable[[Abandoned], T], deadline: float) -> T:
        """Run ``work`` within ``deadline`` seconds from now.

        Work that is cancelled or late while it waits never starts. Raises Overloaded at once when the queue is
        full, DeadlineExceeded when time is up, InferenceError when the pool is closed or the work ended its thread.
        """
        abandoned = threading.Event()
        future = self._submit(work, abandoned)
        try:
            async with asyncio.timeout(deadline):
                return await asyncio.wrap_future(future)
        except TimeoutError as error:
            raise DeadlineExceeded(f"no result within {deadline:g} s") from error
        except asyncio.CancelledError:
            if self._closed and not _is_cancelled():
                raise InferenceError("the encoder was closed") from None
            raise
        finally:
            abandoned.set()

    def close(self) -> None:
        """Drop what waits, wait for what runs. May be called again."""
        self._closed = True
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _submit(self, work: Callable[[Abandoned], T], abandoned: threading.Event) -> Future[T]:
        with self._lock:
            if self._closed:
                raise InferenceError("the encoder was closed")
            if self._pending >= self._capacity:
                raise Overloaded(f"{self._pending} requests are waiting already")
            try:
                future = self._executor.submit(_contained, work, abandoned.is_set)
            except RuntimeError as error:  # the system gives no more threads
                raise InferenceError(f"the encoder cannot start: {error}") from error
            self._pending += 1
        future.add_done_callback(self._done)
        return future

    def _done(self, _: Future[T]) -> None:
        with self._lock:
            self._pending -= 1


def _contained(work: Callable[[Abandoned], T], abandoned: Abandoned) -> T:
    """Run ``work``; what would end a thread, and the event loop with it, becomes an error of this work alone."""
    try:
        return work(abandoned)
    except MemoryError as error:
        raise InferenceError("the encoder ran out of memory") from error
    except Exception:
        raise
    except BaseException as error:
        raise InferenceError(f"the encoder's thread ended: {error!r}") from error


def _is_cancelled() -> bool:
    """Whether the running task itself is being cancelled, not only the future it waits for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
