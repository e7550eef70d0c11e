"""The HTTP server: TLS with renewed files, and clients that are not waited for."""

from __future__ import annotations

import asyncio
import contextlib
import ssl

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from waypost.config import renewal
from waypost.config.tls import ServerTls
from waypost.config.units import HostPort
from waypost.serve import http
from waypost.serve.http import HttpServer
from waypost.serve.prompt import PromptProtocol

HELLO = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"


async def _hello(request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


async def _slow(_) -> PlainTextResponse:
    await asyncio.sleep(2 * PromptProtocol.request_seconds)  # longer than a request may take
    return PlainTextResponse("at last")


@pytest.fixture
async def serve(unused_tcp_port):
    async with contextlib.AsyncExitStack() as stack:

        async def start(tls: ServerTls | None = None) -> int:
            app = Starlette(routes=[Route("/", _hello, methods=["GET", "POST"]), Route("/slow", _slow)])
            server = HttpServer(app, HostPort("127.0.0.1", unused_tcp_port), tls)
            await server.start()
            stack.push_async_callback(server.stop)
            return unused_tcp_port

        yield start


@contextlib.asynccontextmanager
async def connected(port: int, context: ssl.SSLContext | None = None):
    host = "localhost" if context else None
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=host)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def said(port: int, data: bytes, context: ssl.SSLContext | None = None) -> bytes:
    """The first line of the answer; empty when the connection is closed without one."""
    async with connected(port, context) as (reader, writer):
        writer.write(data)
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            return await reader.readline()
    return b""


def trusting(authority, client: dict[str, str] | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authority.ca)
    if client:
        context.load_cert_chain(client["certificate"], client["key"])
    return context


async def serial(port: int, context: ssl.SSLContext) -> str:
    async with connected(port, context) as (_, writer):
        return writer.get_extra_info("peercert")["serialNumber"]


async def test_renewed_files_are_taken_and_halves_of_them_are_not(serve, authority, monkeypatch, caplog):
    monkeypatch.setattr(renewal, "_EVERY", 0.0)
    ours = authority("ours")
    port = await serve(ServerTls(**ours.issue("server")))
    context = trusting(ours)
    first = await serial(port, context)
    assert await said(port, HELLO, context) == b"HTTP/1.1 200 OK\r\n"
    ours.issue("server")
    second = await serial(port, context)
    assert second != first
    (ours.directory / "server.key").write_bytes((ours.directory / "ca.pem").read_bytes())
    assert [await serial(port, context) for _ in range(2)] == [second, second]
    assert caplog.text.count("the certificate of before stays in use") == 1
    ours.issue("server")
    assert await serial(port, context) not in (first, second)


async def test_a_client_shows_a_certificate_where_one_is_asked_for(serve, authority):
    ours, foreign = authority("ours"), authority("foreign")
    port = await serve(ServerTls(**ours.issue("server"), client_ca=str(ours.ca)))
    assert await said(port, HELLO, trusting(ours, ours.issue("client"))) == b"HTTP/1.1 200 OK\r\n"
    for client in (None, foreign.issue("client")):
        assert await said(port, HELLO, trusting(ours, client)) == b""


async def test_a_removed_authority_counts_at_once(serve, authority, monkeypatch):
    monkeypatch.setattr(renewal, "_EVERY", 0.0)
    ours, foreign = authority("ours"), authority("foreign")
    port = await serve(ServerTls(**ours.issue("server"), client_ca=str(ours.ca)))
    context = trusting(ours, ours.issue("client"))
    assert await said(port, HELLO, context)
    ours.ca.write_bytes(foreign.ca.read_bytes())
    assert await said(port, HELLO, context) == b""


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET / HTTP/1.1\r\nhost:",
        b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\nabc",
        HELLO + b"GET / HT",
    ],
)
async def test_whoever_does_not_finish_a_request_is_dropped(serve, monkeypatch, begun):
    monkeypatch.setattr(PromptProtocol, "request_seconds", 0.2)
    async with connected(await serve()) as (reader, writer):
        writer.write(begun)
        with contextlib.suppress(ConnectionError):
            assert (await reader.read()).count(b"200 OK") == begun.count(HELLO)


async def test_an_answer_may_take_longer(serve, monkeypatch):
    monkeypatch.setattr(PromptProtocol, "request_seconds", 0.2)
    async with connected(await serve()) as (reader, writer):
        writer.write(b"GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"


async def test_a_head_has_a_bound(serve):
    async with connected(await serve()) as (reader, writer):
        writer.write(HELLO[:-2] + b"x: ")
        answer = asyncio.create_task(reader.readline())
        with contextlib.suppress(ConnectionError):
            while not answer.done():
                writer.write(b"y" * 2**15)
                await writer.drain()
            assert await answer == b"HTTP/1.1 400 Bad Request\r\n"


async def test_connections_have_a_bound(serve, monkeypatch):
    monkeypatch.setattr(http, "_CONNECTIONS", 3)
    port = await serve()
    async with connected(port), connected(port):
        assert await said(port, HELLO) == b"HTTP/1.1 503 Service Unavailable\r\n"
    assert await said(port, HELLO) == b"HTTP/1.1 200 OK\r\n"
