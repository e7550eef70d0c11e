"""An engine that does what its fields say and remembers what it was told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from waypost.errors import RequestError
from waypost.types import Forward, Reply, RequestHead, ResponseHead, ResponseStart


@dataclass
class FakeEngine:
    """Its own only exchange."""

    at_head: Reply | Forward | None = None
    at_body: Callable[[bytes], Reply | Forward] = lambda body: Forward((("x-selected-model", "math"),))
    start: ResponseStart | Reply = field(default_factory=ResponseStart)
    at_chunk: Callable[[bytes, bool], bytes | None] = lambda data, last: None
    head: RequestHead | None = None
    body: bytes | None = None
    response: ResponseHead | None = None
    chunks: list[bytes] = field(default_factory=list)
    lasts: list[bool] = field(default_factory=list)
    """For each chunk, whether it was the last."""
    ends: list[bool] = field(default_factory=list)
    """The ``aborted`` of each end; one when all is well."""
    failures: list[tuple[str | None, bool]] = field(default_factory=list)
    """The code of each failure, and whether the client got it."""

    def open(self, head: RequestHead) -> FakeEngine:
        self.head = head
        return self

    def on_headers(self) -> Reply | Forward | None:
        return self.at_head

    async def on_body(self, body: bytes) -> Reply | Forward:
        self.body = body
        return self.at_body(body)

    def on_response_start(self, head: ResponseHead) -> ResponseStart | Reply:
        self.response = head
        return self.start

    async def on_chunk(self, data: bytes, *, last: bool) -> bytes | None:
        self.chunks.append(data)
        self.lasts.append(last)
        return self.at_chunk(data, last)

    def on_failure(self, error: RequestError, *, answers: bool) -> None:
        self.failures.append((error.code, answers))

    def on_end(self, *, aborted: bool) -> None:
        self.ends.append(aborted)


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()
