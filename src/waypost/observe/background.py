"""Work that must never hold up a request: a bounded queue, and one thread that takes what is in it by the batch."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

__all__ = ["Background"]

log = logging.getLogger(__name__)

T = TypeVar("T")

_BATCH: Final = 512
_EVERY: Final = 1.0
"""Seconds; a batch is taken when it is full or this old."""


class Background(Generic[T]):
    """Hands what is offered to ``take`` in batches, in a thread. ``lost`` is called with how many were not taken.

    A batch that fails is lost, and logged when the one before it did not fail.
    """

    def __init__(self, name: str, take: Callable[[list[T]], None], *, size: int, lost: Callable[[int], object]) -> None:
        self._name = name
        self._take = take
        self._lost = lost
        self._queue: queue.Queue[T | None] = queue.Queue(size)
        self._closing = threading.Event()
        self._failing = False
        self._thread = threading.Thread(target=self._run, name=f"waypost-{name}", daemon=True)
        self._thread.start()

    def offer(self, item: T) -> None:
        """Queue one; drop it when the queue is full or closed. Never blocks."""
        if self._closing.is_set():
            self._lost(1)
            return
        try:
            self._queue.put_nowait(item)
        except queue.Full:
            self._lost(1)

    def close(self, seconds: float) -> None:
        """Take what waits, for at most ``seconds``; what is offered from now on is dropped. May be called again."""
        self._closing.set()
        try:
            self._queue.put(None, timeout=seconds)  # wakes a thread that waits
        except queue.Full:
            return
        self._thread.join(seconds)

    def _run(self) -> None:
        while not (self._closing.is_set() and self._queue.empty()):
            if batch := self._next():
                self._work(batch)

    def _next(self) -> list[T]:
        """Wait for the first, then for as many as come with it."""
        first = self._queue.get()
        batch = [] if first is None else [first]
        until = time.monotonic() + _EVERY
        while len(batch) < _BATCH:
            left = 0.0 if self._closing.is_set() else until - time.monotonic()
            try:
                item = self._queue.get(block=left > 0, timeout=max(left, 0.0) or None)
            except queue.Empty:
                break
            if item is not None:
                batch.append(item)
        return batch

    def _work(self, batch: list[T]) -> None:
        try:
            self._take(batch)
        except Exception as error:  # noqa: BLE001  (the edge of a thread, which must live to see the next batch)
            self._lost(len(batch))
            if not self._failing:
                log.warning("%s: %d lost: %s", self._name, len(batch), error)
            self._failing = True
        else:
            self._failing = False
