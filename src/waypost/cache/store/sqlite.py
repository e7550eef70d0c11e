"""The memory store with a file behind it, from which it is filled again after a restart."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from waypost.cache.entry import Entry
from waypost.cache.store.base import Selector, StoreStats
from waypost.cache.store.memory import MemoryStore
from waypost.errors import SetupError

__all__ = ["SqliteStore"]

log = logging.getLogger(__name__)

_VERSION: Final = 1
_SCHEMA: Final = "CREATE TABLE IF NOT EXISTS entries (exact TEXT PRIMARY KEY, created REAL, data BLOB) WITHOUT ROWID"
_BATCH: Final = 256
_PAUSE: Final = 5.0
"""Seconds between two attempts at a file that cannot be written."""

_Write: TypeAlias = tuple[str, Entry | None]
"""An entry to keep, or the digest of one to forget."""


class SqliteStore:
    """Reads from memory only; a thread writes to the file, so that nobody waits for the disk.

    What was stored in the last moments before a crash may be missing afterwards. A file that is damaged or of another
    version is moved aside, with a warning, and the cache starts empty. While the file cannot be written, or after
    somebody removed it, the cache goes on in memory. Once it can, the file begins anew with what came meanwhile: what
    was dropped then must not come back.
    """

    name: Final = "memory"

    def __init__(self, path: Path, *, max_entries: int, max_bytes: int, clock: Callable[[], float] = time.time) -> None:
        """Open or create ``path`` and fill the memory. Blocks. Raises SetupError when it cannot be written."""
        self._path = path
        self._writes: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._memory = MemoryStore(
            max_entries=max_entries,
            max_bytes=max_bytes,
            clock=clock,
            dropped=lambda exact: self._writes.put((exact, None)),
        )
        connection = self._open(clock())
        self._writer = threading.Thread(target=self._write, args=(connection,), name="waypost-cache-file", daemon=True)
        self._writer.start()

    async def get_exact(self, exact: str) -> Entry | None:
        """Return the answer to the identical request."""
        return await self._memory.get_exact(exact)

    async def search(self, partition: str, vector: NDArray[np.floating], k: int) -> Sequence[tuple[float, Entry]]:
        """Compare with all of the partition's questions."""
        return await self._memory.search(partition, vector, k)

    async def put(self, entry: Entry) -> None:
        """Keep ``entry``, and write it down soon."""
        if self._memory.keep(entry):
            self._writes.put((entry.exact, entry))

    async def invalidate(self, selector: Selector) -> int:
        """Drop the entries that are meant, from the file too."""
        return await self._memory.invalidate(selector)

    async def stats(self) -> StoreStats:
        """Count what is in memory."""
        return await self._memory.stats()

    async def close(self) -> None:
        """Write everything down."""
        self._writes.put(None)
        await asyncio.to_thread(self._writer.join)
        await self._memory.close()

    def _open(self, now: float) -> sqlite3.Connection:
        try:
            if self._path.exists() and not self._path.is_file():
                raise SetupError(f"cannot write the cache file {self._path}: it is no file")
            return self._fill(now)
        except (OSError, sqlite3.OperationalError) as error:  # of the machine, not of the file: it may be of use again
            raise SetupError(f"cannot write the cache file {self._path}: {error}") from error
        except sqlite3.DatabaseError as error:
            aside = self._path.with_name(f"{self._path.name}.damaged")
            log.warning("cache file %s is unusable (%s); moved to %s, the cache is empty", self._path, error, aside)
        return self._start_again(aside, now)

    def _start_again(self, aside: Path, now: float) -> sqlite3.Connection:
        try:
            self._path.replace(aside)
            for leftover in ("-wal", "-shm"):
                self._path.with_name(self._path.name + leftover).unlink(missing_ok=True)
            return self._fill(now)
        except (OSError, sqlite3.Error) as error:
            raise SetupError(f"cannot write the cache file {self._path}: {error}") from error

    def _fill(self, now: float) -> sqlite3.Connection:
        connection = self._connect()
        with contextlib.ExitStack() as undo:
            undo.callback(connection.close)
            for exact, data in connection.execute("SELECT exact, data FROM entries ORDER BY created"):
                self._restore(exact, data, now)
            undo.pop_all()
        return connection

    def _connect(self) -> sqlite3.Connection:
        self._path.touch(mode=0o600)  # it holds what people asked
        with contextlib.ExitStack() as undo:
            connection = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
            undo.callback(connection.close)
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, _VERSION):
                raise sqlite3.DatabaseError(f"its version is {version}, not {_VERSION}")
            connection.executescript(
                f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA user_version={_VERSION}; {_SCHEMA}"
            )
            self._file = self._path.stat()
            undo.pop_all()
        return connection

    def _restore(self, exact: str, data: bytes, now: float) -> None:
        try:
            entry = Entry.parse(data)
        except ValueError as error:
            log.warning("an entry of %s is unreadable (%s); it is dropped", self._path, error)
        else:
            if entry.expires > now and self._memory.keep(entry):
                return
        self._writes.put((exact, None))

    def _write(self, connection: sqlite3.Connection) -> None:
        """Write batches until the end mark; the last act of the thread is to close the file."""
        missed: dict[str, Entry] | None = None  # what the file lacks; None while it can be written
        retry_at = 0.0
        going = True
        try:
            while going:
                batch = self._waiting()
                going = batch[-1] is not None
                writes = [write for write in batch if write is not None]
                if missed is None:
                    if self._apply(connection, writes):
                        continue
                    missed, retry_at = {}, time.monotonic() + _PAUSE
                _follow(missed, writes)
                if not going or time.monotonic() >= retry_at:
                    connection = self._reopened(connection)
                    missed = None if self._apply(connection, missed.items(), anew=True) else missed
                    retry_at = time.monotonic() + _PAUSE
        finally:
            connection.close()

    def _reopened(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        """Open the file anew where it was removed; what is returned when that fails cannot be written to."""
        if self._is_there():
            return connection
        connection.close()  # first, because it takes the journal along, which the new file has under the same name
        try:
            return self._connect()
        except (OSError, sqlite3.Error):
            return connection

    def _is_there(self) -> bool:
        """Tell whether the path still names the file that is open; SQLite writes to one that was removed, too."""
        try:
            return os.path.samestat(self._path.stat(), self._file)
        except OSError:
            return False

    def _require_file(self) -> None:
        if not self._is_there():
            raise sqlite3.OperationalError("it was removed")

    def _waiting(self) -> list[_Write | None]:
        """Wait for a write, and take what else is there, up to the end mark."""
        batch = [self._writes.get()]
        while batch[-1] is not None and len(batch) < _BATCH and not self._writes.empty():
            batch.append(self._writes.get())
        return batch

    def _apply(self, connection: sqlite3.Connection, writes: Iterable[_Write], *, anew: bool = False) -> bool:
        """Write in one transaction, ``anew`` into an empty file; False, and it is logged once, when that fails."""
        try:
            self._require_file()
            connection.execute("BEGIN")
            if anew:
                connection.execute("DELETE FROM entries")
            for exact, entry in writes:
                if entry is None:
                    connection.execute("DELETE FROM entries WHERE exact = ?", (exact,))
                else:
                    row = (exact, entry.created, entry.dump())
                    connection.execute("INSERT OR REPLACE INTO entries VALUES (?, ?, ?)", row)
            connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001  (the edge of a thread; without it the queue would grow for good)
            with contextlib.suppress(sqlite3.Error):
                connection.rollback()
            if not anew:
                log.warning("cannot write the cache file %s (%s); the cache goes on in memory", self._path, error)
            return False
        if anew:
            log.info("the cache file %s can be written again", self._path)
        return True


def _follow(missed: dict[str, Entry], writes: Iterable[_Write]) -> None:
    for exact, entry in writes:
        missed.pop(exact, None)
        if entry is not None:
            missed[exact] = entry
