"""What every transport of the ExtProc session must do, driven through a real client. Today there is grpc.aio."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from waypost.config.units import HostPort
from waypost.errors import RequestError, SetupError
from waypost.serve.extproc.proto.extproc_pb2 import (
    HeaderMap,
    HeaderValue,
    HttpBody,
    HttpHeaders,
    ProcessingRequest,
    ProcessingResponse,
)
from waypost.serve.extproc.server import SERVICE, ExtProcServer
from waypost.types import Forward, Reply, RequestHead, ResponseHead, ResponseStart

MAX_BODY = 8 * 2**20
TRANSPORTS: dict[str, Callable[..., ExtProcServer]] = {"grpc.aio": ExtProcServer}


@dataclass
class Engine:
    """Its own exchange. ``on_body`` does what ``act`` says; ``ended`` is told of each end."""

    act: Callable[[bytes], Any] = lambda body: Forward((), (), body.upper())
    failures: int = 0
    ended: asyncio.Queue[bool] = field(default_factory=asyncio.Queue)
    failed: list[str | None] = field(default_factory=list)
    """The codes of failures outside."""

    def open(self, head: RequestHead) -> Engine:
        return self

    def on_headers(self) -> None:
        return None

    async def on_body(self, body: bytes) -> Reply | Forward:
        action = self.act(body)
        return await action if asyncio.isfuture(action) else action

    def on_response_start(self, head: ResponseHead) -> ResponseStart:
        return ResponseStart(read_body=True)

    async def on_chunk(self, data: bytes, *, last: bool) -> None:
        return None

    def on_failure(self, error: RequestError, *, answers: bool) -> None:
        self.failed.append(error.code)

    def on_end(self, *, aborted: bool) -> None:
        self.ended.put_nowait(aborted)

    def count(self) -> None:
        self.failures += 1


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture(params=TRANSPORTS)
async def server(request: pytest.FixtureRequest, engine: Engine) -> AsyncIterator[ExtProcServer]:
    server = TRANSPORTS[request.param](
        HostPort("127.0.0.1", 0), lambda: engine, mode="full_duplex_streamed", max_body=MAX_BODY, deadline=lambda: 0.2,
        count_failure=engine.count,
    )  # fmt: skip
    await server.start()
    yield server
    await server.stop(0)


@pytest.fixture
async def channel(server: ExtProcServer) -> AsyncIterator[grpc.aio.Channel]:
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    async with grpc.aio.insecure_channel(str(server.address), options=options) as channel:
        yield channel


@pytest.fixture
def open_stream(channel: grpc.aio.Channel) -> Callable[[], Any]:
    return channel.stream_stream(
        f"/{SERVICE}/Process",
        request_serializer=ProcessingRequest.SerializeToString,
        response_deserializer=ProcessingResponse.FromString,
    )


HEAD = ProcessingRequest(
    request_headers=HttpHeaders(headers=HeaderMap(headers=[HeaderValue(key=":path", raw_value=b"/chat")]))
)
RESPONSE = ProcessingRequest(response_headers=HttpHeaders(headers=HeaderMap()))


def body(data: bytes, *, end: bool = True) -> ProcessingRequest:
    return ProcessingRequest(request_body=HttpBody(body=data, end_of_stream=end))


async def ask(stream: Any, *messages: ProcessingRequest) -> ProcessingResponse:
    for message in messages:
        await stream.write(message)
    return await stream.read()


async def test_answers_come_in_order_and_a_whole_exchange_ends_well(open_stream: Any, engine: Engine) -> None:
    stream = open_stream()
    first = await ask(stream, HEAD, body(b"a", end=False), body(b"b"))
    second = await stream.read()
    third = await ask(stream, RESPONSE)
    fourth = await ask(stream, ProcessingRequest(response_body=HttpBody(body=b"x", end_of_stream=True)))
    kinds = [answer.WhichOneof("response") for answer in (first, second, third, fourth)]

    assert kinds == ["request_headers", "request_body", "response_headers", "response_body"]
    assert second.request_body.response.body_mutation.streamed_response.body == b"AB"
    assert await engine.ended.get() is False
    await stream.done_writing()
    assert await stream.read() is grpc.aio.EOF
    assert await stream.code() is grpc.StatusCode.OK
    assert engine.ended.empty()


async def test_a_big_body_fits_into_one_message(open_stream: Any) -> None:
    stream = open_stream()
    answer = await ask(stream, HEAD, body(b"x" * MAX_BODY))
    assert answer.WhichOneof("response") == "request_headers"
    stream.cancel()


@pytest.mark.parametrize("how", ["cancel", "finish"])
async def test_a_stream_that_ends_early_aborts_the_exchange(open_stream: Any, engine: Engine, how: str) -> None:
    stream = open_stream()
    await ask(stream, HEAD, body(b"x"))
    if how == "cancel":
        stream.cancel()
    else:
        await stream.done_writing()
    assert await engine.ended.get() is True


async def test_work_in_hand_is_cancelled_with_its_stream(open_stream: Any, engine: Engine) -> None:
    working: asyncio.Queue[asyncio.Future[Forward]] = asyncio.Queue()

    def work(_: bytes) -> asyncio.Future[Forward]:
        future = asyncio.get_running_loop().create_future()
        working.put_nowait(future)
        return future

    engine.act = work
    stream = open_stream()
    await stream.write(HEAD)
    await stream.write(body(b"x"))
    future = await working.get()
    stream.cancel()
    assert await engine.ended.get() is True
    assert future.cancelled()


async def test_an_engine_that_fails_is_a_500_and_the_next_request_is_fine(
    open_stream: Any, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    engine.act = lambda body: Forward((), (), str(1 // len(body)).encode())
    failed = (await ask(open_stream(), HEAD, body(b""))).immediate_response
    fine = await ask(open_stream(), HEAD, body(b"x"))

    assert (failed.status.code, json.loads(failed.body)["error"]["type"]) == (500, "server_error")
    assert fine.WhichOneof("response") == "request_headers"
    assert (engine.failures, engine.failed) == (1, ["internal_error"])
    assert caplog.records[0].exc_info


async def test_an_engine_that_is_late_is_a_504(open_stream: Any, engine: Engine) -> None:
    engine.act = lambda _: asyncio.get_running_loop().create_future()
    late = (await ask(open_stream(), HEAD, body(b"x"))).immediate_response
    assert (late.status.code, json.loads(late.body)["error"]["code"]) == (504, "router_timeout")
    assert (engine.failures, engine.failed) == (1, ["router_timeout"])
    assert await engine.ended.get() is False


async def test_many_streams_share_one_connection(open_stream: Any) -> None:
    async def one(number: int) -> bytes:
        stream = open_stream()
        await ask(stream, HEAD, body(b"n%d" % number))
        answer = await stream.read()
        stream.cancel()
        return answer.request_body.response.body_mutation.streamed_response.body

    answers = await asyncio.gather(*(one(number) for number in range(100)))
    assert answers == [b"N%d" % number for number in range(100)]


async def test_health_turns_before_the_end(
    server: ExtProcServer, channel: grpc.aio.Channel, open_stream: Any, engine: Engine
) -> None:
    health = HealthStub(channel)
    for service in ("", SERVICE):
        assert (await health.Check(HealthCheckRequest(service=service))).status == HealthCheckResponse.SERVING

    stream = open_stream()
    await server.drain()
    assert (await health.Check(HealthCheckRequest())).status == HealthCheckResponse.NOT_SERVING
    assert (await ask(stream, HEAD, body(b"x"))).WhichOneof("response") == "request_headers"
    await stream.read()

    # A stream that runs may finish while new ones are refused.
    stopping = asyncio.create_task(server.stop(30))
    await ask(stream, RESPONSE)
    await ask(stream, ProcessingRequest(response_body=HttpBody(end_of_stream=True)))
    await stream.done_writing()
    await stopping
    assert engine.ended.get_nowait() is False


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_taken_port_is_one_clear_line(
    transport: str, engine: Engine, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        address = HostPort(*holder.getsockname())
        second = TRANSPORTS[transport](
            address, lambda: engine, mode="buffered", max_body=1, deadline=lambda: 1, count_failure=engine.count
        )
        with pytest.raises(SetupError, match=r"listeners\.extproc"):
            await second.start()
    assert capfd.readouterr().err == ""


async def test_a_second_server_cannot_share_the_port(server: ExtProcServer, engine: Engine) -> None:
    second = type(server)(
        server.address, lambda: engine, mode="buffered", max_body=1, deadline=lambda: 1, count_failure=engine.count
    )
    with pytest.raises(SetupError):
        await second.start()
