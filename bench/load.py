"""A closed-loop HTTP/1.1 client: each connection sends its next request when it has the whole answer to the last.

Reads a request body from stdin and prints one JSON object; run it in a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from statistics import quantiles
from time import perf_counter, time_ns
from typing import Final, cast

import uvloop

NUMBER: Final = b"000000"
"""Where the request's body holds its number."""

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_LAST_CHUNK: Final = b"0\r\n\r\n"
_GRACE: Final = 30.0


@dataclass
class _Tally:
    seconds: list[float] = field(default_factory=list)
    """Of each answer, from the first byte of the request to the last byte of the answer."""
    first: list[float] = field(default_factory=list)
    """The same to the first byte of the answer's body."""
    errors: int = 0


class _Connection(asyncio.Protocol):
    def __init__(self, requests: Iterator[bytes], until: float, tally: _Tally) -> None:
        self.closed = asyncio.get_running_loop().create_future()
        self._requests = requests
        self._until = until
        self._tally = tally

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._tally.errors += self._pending
        self.closed.set_result(None)

    def _send(self) -> None:
        self._answer = bytearray()
        self._body = 0
        self._pending = True
        self._first_byte = 0.0
        request = next(self._requests)
        self._began = perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if not self._body and (end := self._answer.find(b"\r\n\r\n") + 4) > 3:
            self._body = end
            self._length = _LENGTH.search(self._answer, 0, end)
        if self._body and len(self._answer) > self._body:
            self._read_body()

    def _read_body(self) -> None:
        now = perf_counter()
        self._first_byte = self._first_byte or now
        if self._length:
            complete = len(self._answer) >= self._body + int(self._length[1])
        else:
            complete = self._answer.endswith(_LAST_CHUNK)
        if complete:
            self._complete(now)

    def _complete(self, now: float) -> None:
        self._pending = False
        self._tally.seconds.append(now - self._began)
        self._tally.first.append(self._first_byte - self._began)
        self._tally.errors += not self._answer.startswith(b"HTTP/1.1 200 ")
        if now < self._until:
            self._send()
        else:
            self._transport.close()


def _numbered(request: bytes) -> Iterator[bytes]:
    """Give each request a number of its own: waypost reads a text that it knows in no time."""
    for number in count(time_ns()):
        yield request.replace(NUMBER, b"%06d" % (number % 10**6))


async def _run(port: int, connections: int, seconds: float, request: bytes) -> dict[str, float]:
    loop = asyncio.get_running_loop()
    requests = _numbered(request)
    tally = _Tally()
    began = perf_counter()
    async with asyncio.timeout(seconds + _GRACE):
        for connection in [
            (await loop.create_connection(lambda: _Connection(requests, began + seconds, tally), "127.0.0.1", port))[1]
            for _ in range(connections)
        ]:
            await connection.closed
    return _summary(tally, perf_counter() - began)


def _summary(tally: _Tally, elapsed: float) -> dict[str, float]:
    return {
        "requests": len(tally.seconds),
        "errors": tally.errors,
        "requests_per_second": len(tally.seconds) / elapsed,
        "p50_ms": _percentile(tally.seconds, 50),
        "p99_ms": _percentile(tally.seconds, 99),
        "first_byte_ms": _percentile(tally.first, 50),
    }


def _percentile(seconds: list[float], percent: int) -> float:
    return 1000 * (quantiles(seconds, n=100, method="inclusive")[percent - 1] if len(seconds) > 1 else sum(seconds))


def main() -> None:
    parser = argparse.ArgumentParser(description="Send the chat request on stdin again and again.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--connections", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    options = parser.parse_args()
    body = sys.stdin.buffer.read()
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nuser-agent: waypost-bench\r\naccept: */*\r\n"
        f"authorization: Bearer sk-none\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    result = uvloop.run(_run(options.port, options.connections, options.seconds, head.encode() + body))
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
