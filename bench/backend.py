"""A model's server that costs next to nothing: OpenAI's shapes, a fixed answer.

``"stream":true`` in the request asks for SSE, ``"max_tokens":N`` for N pieces, one every ``--interval`` seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import re
from typing import Final, cast

import uvloop

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_PIECES: Final = re.compile(rb'"max_tokens":(\d+)')
_USAGE: Final = b'"usage":{"prompt_tokens":250,"completion_tokens":100,"total_tokens":350}'
_BODY: Final = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"The derivative is 2x sin(x) + x^2 cos(x)."},"finish_reason":"stop"}],'
    + _USAGE
    + b"}"
)
_ANSWER: Final = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (
    len(_BODY),
    _BODY,
)
_STREAM_HEAD: Final = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_CHUNK: Final = b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":['


def _chunked(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


_PIECE: Final = _chunked(_CHUNK + b'{"index":0,"delta":{"content":" word"},"finish_reason":null}]}\n\n')
_END: Final = _chunked(_CHUNK + b"]," + _USAGE + b"}\n\ndata: [DONE]\n\n") + b"0\r\n\r\n"


class _Connection(asyncio.Protocol):
    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head + b"\r\n")
        if found and length and len(rest) >= int(length[1]):
            self._buffer = b""
            self._answer(rest)

    def _answer(self, body: bytes) -> None:
        if b'"stream":true' not in body:
            self._transport.write(_ANSWER)
            return
        pieces = _PIECES.search(body)
        self._transport.write(_STREAM_HEAD)
        self._next(int(pieces[1]) if pieces else 1)

    def _next(self, left: int) -> None:
        if self._transport.is_closing():
            return
        self._transport.write(_PIECE if left else _END)
        if left:
            asyncio.get_running_loop().call_later(self._interval, self._next, left - 1)


async def _serve(port: int, interval: float) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(interval), "127.0.0.1", port)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description="A trivial model server for benchmarks.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--interval", type=float, default=0.01, help="seconds between two pieces of a stream")
    options = parser.parse_args()
    uvloop.run(_serve(options.port, options.interval))


if __name__ == "__main__":
    main()
