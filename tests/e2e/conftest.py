"""Fixtures of the end-to-end tests: free ports, recording backends, a scripted processor, a real Envoy.

``backend`` is a factory: ``math = await backend(name="math")``. It answers like an OpenAI-compatible server, as JSON
or, when the request says ``"stream": true``, as SSE, and keeps what it was sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from waypost.config.schema import Config
from waypost.config.units import HostPort
from waypost.serve.envoy.process import EnvoyProcess
from waypost.serve.extproc.proto import extproc_pb2 as pb

Json = dict[str, Any]


@dataclass(frozen=True)
class Received:
    """One request as it came over the wire; ``headers`` keeps order, case and repetitions."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Backend:
    """An HTTP/1.1 server on 127.0.0.1. Change its fields at any time to change how it answers."""

    name: str = "backend"
    port: int = 0
    status: int = 200
    answer: Json | Callable[[Received], Json] | None = None
    """The JSON body, or what makes it; a chat completion that says ``Hello from NAME`` when None."""
    pieces: tuple[str | Json, ...] = ("Hello", " from", " the", " stream")
    """The contents of the SSE chunks, or what else a chunk is to hold; ``data: [DONE]`` follows them."""
    gates: dict[int, asyncio.Event] = field(default_factory=dict)
    """Piece number → what it waits for. ``len(pieces)`` is the end of the stream."""
    before: asyncio.Event | None = None
    """What the first byte of an answer waits for."""
    reset: bool = False
    """Read the request and drop the connection without an answer."""
    requests: list[Received] = field(default_factory=list)
    aborted: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client left in the middle of an answer."""
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)
    _server: asyncio.Server | None = None
    _connections: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def listens(self) -> bool:
        return self._server is not None

    async def start(self, tls: ssl.SSLContext | None = None) -> None:
        """Listen; after :meth:`stop`, on the same port again."""
        self._server = await asyncio.start_server(
            self._connection, "127.0.0.1", self.port, ssl=tls, limit=2**20, backlog=1024
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Drop every connection and refuse new ones."""
        if self._server is None:
            return
        self._server.close()
        for writer in tuple(self._connections):
            writer.transport.abort()
        await self._server.wait_closed()
        self._server = None

    async def wait_for(self, count: int) -> None:
        """Wait until ``count`` requests have arrived in all."""
        async with asyncio.timeout(60), self._arrived:
            await self._arrived.wait_for(lambda: len(self.requests) >= count)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            while (request := await _read_request(reader)) is not None:
                async with self._arrived:
                    self.requests.append(request)
                    self._arrived.notify_all()
                if self.reset:
                    break
                await self._respond(request, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.aborted.set()
        finally:
            self._connections.discard(writer)
            writer.close()

    async def _respond(self, request: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.before is not None:
            await self.before.wait()
        stream = self.status == 200 and b'"stream"' in request.body and request.json.get("stream") is True
        if stream:
            await self._stream(request, reader, writer)
            return
        answer = self.answer(request) if callable(self.answer) else self.answer
        body = json.dumps(_completion(self.name, request) if answer is None else answer).encode()
        writer.write(_head(self.status, f"content-type: application/json\r\ncontent-length: {len(body)}"))
        writer.write(body)
        await writer.drain()

    async def _stream(self, request: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(_head(200, "content-type: text/event-stream\r\ntransfer-encoding: chunked"))
        events = [_chunk(request, piece) for piece in self.pieces]
        for number, event in enumerate([*events, b"data: [DONE]\n\n"]):
            if number in self.gates:
                await _gate_or_gone(self.gates[number], reader)
            writer.write(b"%x\r\n%s\r\n" % (len(event), event))
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        await writer.drain()


async def _gate_or_gone(gate: asyncio.Event, reader: asyncio.StreamReader) -> None:
    """Wait for the gate; raises ConnectionError when the client leaves first."""
    opened, gone = asyncio.ensure_future(gate.wait()), asyncio.ensure_future(reader.read(1))
    done, pending = await asyncio.wait({opened, gone}, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.wait({opened, gone})
    if gone in done:
        raise ConnectionResetError


async def _read_request(reader: asyncio.StreamReader) -> Received | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.rstrip("\r\n").split("\r\n")
    method, path, _ = first.split(" ")
    headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))
    found = {name.lower(): value for name, value in headers}
    if found.get("transfer-encoding") == "chunked":
        body = b"".join([piece async for piece in _chunks(reader)])
    else:
        body = await reader.readexactly(int(found.get("content-length", 0)))
    return Received(method, path, headers, body)


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while size := int(await reader.readline(), 16):
        yield await reader.readexactly(size)
        await reader.readline()
    await reader.readline()


def _head(status: int, headers: str) -> bytes:
    return f"HTTP/1.1 {status} Status\r\n{headers}\r\n\r\n".encode()


def _model(request: Received) -> str:
    with contextlib.suppress(ValueError, AttributeError):
        return str(request.json.get("model", ""))
    return ""


def _completion(name: str, request: Received) -> Json:
    message = {"role": "assistant", "content": f"Hello from {name}"}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": _model(request),
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
    }


def _chunk(request: Received, piece: str | Json) -> bytes:
    if isinstance(piece, str):
        piece = {"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]}
    event = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": _model(request)}
    return b"data: " + json.dumps(event | piece).encode() + b"\n\n"


class Processor:
    """A scripted ExtProc server: it routes by the ``model`` of the JSON body, or does what ``on_headers`` says."""

    def __init__(self) -> None:
        self.address = HostPort("127.0.0.1", 0)
        self.seen: list[dict[str, str]] = []
        """The headers of each request as the processor got them."""
        self.on_headers: Callable[[dict[str, str]], pb.ProcessingResponse | None] = lambda _: None
        self.set_headers: Callable[[Json], dict[str, str]] = lambda body: {"x-selected-model": str(body["model"])}
        self.before_body: asyncio.Event | None = None
        """What the answer to a body waits for."""
        self._server: grpc.aio.Server | None = None

    async def start(self) -> None:
        options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        self._server = grpc.aio.server(options=options)
        method = grpc.stream_stream_rpc_method_handler(
            self._process,
            request_deserializer=pb.ProcessingRequest.FromString,
            response_serializer=pb.ProcessingResponse.SerializeToString,
        )
        service = "envoy.service.ext_proc.v3.ExternalProcessor"
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"Process": method}),))
        self.address = HostPort("127.0.0.1", self._server.add_insecure_port(f"127.0.0.1:{self.address.port}"))
        await self._server.start()

    async def stop(self) -> None:
        if self._server is not None:
            await self._server.stop(None)
            self._server = None

    async def _process(
        self, requests: AsyncIterator[pb.ProcessingRequest], _: grpc.aio.ServicerContext
    ) -> AsyncIterator[pb.ProcessingResponse]:
        held = bytearray()
        full_duplex = False
        async for request in requests:
            kind = request.WhichOneof("request")
            if request.HasField("protocol_config"):
                full_duplex = request.protocol_config.request_body_mode == pb.ProcessingMode.FULL_DUPLEX_STREAMED
            if kind == "request_headers":
                self.seen.append({h.key: h.raw_value.decode() for h in request.request_headers.headers.headers})
                if immediate := self.on_headers(self.seen[-1]):
                    yield immediate
                elif not full_duplex or request.request_headers.end_of_stream:
                    yield pb.ProcessingResponse(request_headers=pb.HeadersResponse())
            elif kind == "request_body":
                held += request.request_body.body
                if self.before_body is not None:
                    await self.before_body.wait()
                if not full_duplex or request.request_body.end_of_stream:
                    for answer in self._routed(bytes(held), full_duplex=full_duplex):
                        yield answer
            else:
                yield pb.ProcessingResponse(**{str(kind): _EMPTY[str(kind)]})

    def _routed(self, body: bytes, *, full_duplex: bool) -> list[pb.ProcessingResponse]:
        found = self.set_headers(json.loads(body)).items()
        overwrite = pb.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD
        options = [
            pb.HeaderValueOption(header=pb.HeaderValue(key=k, raw_value=v.encode()), append_action=overwrite)
            for k, v in found
        ]
        change = pb.CommonResponse(header_mutation=pb.HeaderMutation(set_headers=options), clear_route_cache=True)
        if not full_duplex:
            return [pb.ProcessingResponse(request_body=pb.BodyResponse(response=change))]
        whole = pb.StreamedBodyResponse(body=body, end_of_stream=True)
        piece = pb.CommonResponse(body_mutation=pb.BodyMutation(streamed_response=whole))
        return [
            pb.ProcessingResponse(request_headers=pb.HeadersResponse(response=change)),
            pb.ProcessingResponse(request_body=pb.BodyResponse(response=piece)),
        ]


_EMPTY = {
    "response_headers": pb.HeadersResponse(),
    "response_body": pb.BodyResponse(),
    "request_trailers": pb.TrailersResponse(),
    "response_trailers": pb.TrailersResponse(),
}


@pytest.fixture
def run_dir() -> Iterator[Path]:
    """A directory with a path short enough for Unix sockets."""
    with tempfile.TemporaryDirectory(prefix="waypost-") as path:
        yield Path(path)


@contextlib.asynccontextmanager
async def _backends() -> AsyncIterator[Callable[..., Awaitable[Backend]]]:
    running: list[Backend] = []

    async def start(*, tls: ssl.SSLContext | None = None, **fields: Any) -> Backend:
        running.append(Backend(**fields))
        await running[-1].start(tls)
        return running[-1]

    yield start
    for server in running:
        await server.stop()


@pytest.fixture(scope="session")
def backends() -> Callable[[], contextlib.AbstractAsyncContextManager[Callable[..., Awaitable[Backend]]]]:
    """What ``backend`` is made of, for fixtures that live longer than one test."""
    return _backends


@pytest.fixture
async def backend() -> AsyncIterator[Callable[..., Awaitable[Backend]]]:
    """Start recording backends: ``await backend(name="math", tls=context, status=500, …)``."""
    async with _backends() as start:
        yield start


@pytest.fixture
async def processor() -> AsyncIterator[Processor]:
    """A scripted ExtProc server, started."""
    server = Processor()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def make_config(free_port: Callable[[], int]) -> Callable[..., Config]:
    """Build a configuration: ``make_config({"math": [math.url]}, envoy={…}, health={…})``; listens on a free port."""
    port = free_port()

    def build(models: dict[str, list[str | Json]], *, envoy: Json | None = None, **more: Any) -> Config:
        pool = {
            name: {"endpoints": [{"url": e} if isinstance(e, str) else e for e in endpoints], **more.get(name, {})}
            for name, endpoints in models.items()
        }
        return Config.model_validate(
            {
                "version": 1,
                "listeners": {"http": f"127.0.0.1:{port}"},
                "envoy": envoy or {},
                "models": pool,
                "routing": {"default_model": next(iter(models))},
            }
        )

    return build


@pytest.fixture
async def envoy(run_dir: Path, processor: Processor) -> AsyncIterator[Callable[..., Awaitable[EnvoyProcess]]]:
    """Start a real Envoy for a configuration, with the scripted processor beside it."""
    running: list[EnvoyProcess] = []

    async def start(config: Config) -> EnvoyProcess:
        running.append(await EnvoyProcess.start(run_dir, config, [processor.address]))
        return running[-1]

    yield start
    for process in running:
        await process.kill()


@pytest.fixture
def raw() -> Callable[[Config, bytes], Awaitable[tuple[bytes, bytes]]]:
    """Send bytes to the listener of a configuration: ``head, body = await raw(config, b"GET …")``, read to the end.

    For what an HTTP client would tidy up. The request must be one after which the connection closes.
    """

    async def send(config: Config, request: bytes) -> tuple[bytes, bytes]:
        reader, writer = await asyncio.open_connection(*config.listeners.http)
        writer.write(request)
        async with asyncio.timeout(60):
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        return head, body

    return send


@pytest.fixture
async def client() -> AsyncIterator[Callable[[Config], httpx.AsyncClient]]:
    """Make HTTP clients whose base URL is the listener of a configuration."""
    async with contextlib.AsyncExitStack() as stack:
        made: list[httpx.AsyncClient] = []

        def make(config: Config) -> httpx.AsyncClient:
            made.append(httpx.AsyncClient(base_url=f"http://{config.listeners.http}", timeout=30))
            stack.push_async_callback(made[-1].aclose)
            return made[-1]

        yield make
