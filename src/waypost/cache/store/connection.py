"""A blocking driver's client and the collection behind it, each opened when it is first needed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

__all__ = ["Connection"]


class _Client(Protocol):
    def close(self) -> None: ...


C = TypeVar("C", bound=_Client)


class Connection(Generic[C]):
    """Safe in threads. Connecting and preparing block, and raise what the driver raises; the next call tries again."""

    def __init__(self, connect: Callable[[], C], prepare: Callable[[C], None]) -> None:
        """``prepare`` makes the collection usable, and creates it where there is none."""
        self._connect = connect
        self._prepare = prepare
        self._client: C | None = None
        self._prepared = False
        self._opening = threading.Lock()

    def client(self) -> C:
        """Return the client, whose collection is there."""
        with self._opening:
            if self._client is None:
                self._client = self._connect()
            if not self._prepared:
                self._prepare(self._client)
                self._prepared = True
            return self._client

    def forget(self) -> None:
        """Look for the collection again when next asked. The client stays: an embedded database lets in only one."""
        with self._opening:
            self._prepared = False

    def close(self) -> None:
        """Let go of the client, if there is one."""
        with self._opening:
            if self._client is not None:
                self._client.close()
