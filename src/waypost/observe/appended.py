"""A file of bounded size to which several processes append whole lines.

Each takes turns: it locks the file (flock(2)), and finds out by the inode whether somebody put a new one in its place
meanwhile. What is written in one turn stands together, or not at all.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["AppendedFile"]


class AppendedFile:
    """``files`` full ones are kept beside ``path``, as ``PATH.1`` and so on. Raises OSError if it cannot be opened."""

    def __init__(self, path: Path, *, files: int) -> None:
        self.generation = 0
        """Changes when what this process appended before is not in the file: it is a new one, or a turn has failed."""
        self._path = path
        self._files = files
        self._waiting = bytearray()
        self._before = 0
        self._file = path.open("ab", buffering=0)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Be the only one who appends. What was appended is written at the end; then it may raise OSError."""
        self._lock()
        try:
            yield
            self._write()
        finally:
            if self._waiting:  # the turn has failed
                self._waiting.clear()
                self.generation += 1
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def append(self, line: bytes) -> None:
        """Add a line; only within a turn."""
        self._waiting += line

    @property
    def size(self) -> int:
        """Bytes of the file with what was appended to it; only within a turn."""
        return self._before + len(self._waiting)

    def rotate(self) -> None:
        """Put the file aside, and go on in a new one; only within a turn."""
        self._write()
        for number in range(self._files, 0, -1):
            older = self._numbered(number - 1)
            if older.exists():
                older.replace(self._numbered(number))
        self._reopen()
        self._lock()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _lock(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_EX)
        while not self._is_in_place():
            self._reopen()
            fcntl.flock(self._file, fcntl.LOCK_EX)
        self._before = os.fstat(self._file.fileno()).st_size

    def _is_in_place(self) -> bool:
        try:
            return os.path.samestat(self._path.stat(), os.fstat(self._file.fileno()))
        except FileNotFoundError:
            return False

    def _reopen(self) -> None:
        opened = self._path.open("ab", buffering=0)
        self._file.close()
        self._file = opened
        self.generation += 1

    def _write(self) -> None:
        data = bytes(self._waiting)
        self._waiting.clear()
        written = 0
        try:
            written = self._file.write(data)
        finally:
            if written != len(data):
                self._file.truncate(self._before)  # no reader should find half a line
                self.generation += 1
        if written != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
        self._before += len(data)

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}") if number else self._path
