"""The gRPC server that Envoy's ext_proc filter talks to: grpc.aio around :class:`Session`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import grpc
from grpc_health.v1.health import aio as health_aio  # type: ignore[attr-defined, unused-ignore]
from grpc_health.v1.health_pb2 import HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server

from waypost.config.tls import ServerTls
from waypost.config.units import HostPort
from waypost.errors import RouterFailed, RouterTimeout, SetupError
from waypost.serve.extproc.proto.extproc_pb2 import ProcessingRequest, ProcessingResponse
from waypost.serve.extproc.session import BodyMode, Engine, Session
from waypost.serve.ports import require_free
from waypost.serve.tls import grpc_credentials

__all__ = ["SERVICE", "ExtProcServer"]

SERVICE: Final = "envoy.service.ext_proc.v3.ExternalProcessor"

_KEY: Final = "listeners.extproc"

_SLACK: Final = 2**20
"""Bytes of a message beside the body: headers, framing, what an edit adds."""

_log = logging.getLogger(__name__)


class ExtProcServer:
    """Serves one address. ``count_failure`` is called for every error that nothing below was meant to raise.

    ``max_body`` is in bytes. ``deadline`` gives seconds, for one message: Envoy's own ``message_timeout`` does not
    apply to streamed bodies.
    """

    def __init__(
        self,
        address: HostPort,
        engine_now: Callable[[], Engine],
        *,
        mode: BodyMode,
        max_body: int,
        deadline: Callable[[], float],
        count_failure: Callable[[], object],
        tls: ServerTls | None = None,
    ) -> None:
        self.address = address
        """As configured; after :meth:`start`, with the port that is bound."""
        self._engine_now = engine_now
        self._mode: BodyMode = mode
        self._max_body = max_body
        self._deadline = deadline
        self._count_failure = count_failure
        self._tls = tls
        self._health = health_aio.HealthServicer()
        self._server: Any = None

    async def start(self) -> None:
        """Listen. Raises SetupError when the address cannot be had."""
        require_free(_KEY, self.address)  # before gRPC looks, which writes of its failure to stderr
        self._server = grpc.aio.server(options=_options(self._max_body + _SLACK))
        process = grpc.stream_stream_rpc_method_handler(
            self._process,
            request_deserializer=ProcessingRequest.FromString,
            response_serializer=ProcessingResponse.SerializeToString,
        )
        handlers = grpc.method_handlers_generic_handler(SERVICE, {"Process": process})
        self._server.add_generic_rpc_handlers((handlers,))
        add_HealthServicer_to_server(self._health, self._server)
        try:
            port = self._add_port()
        except RuntimeError as error:  # taken since we looked
            raise SetupError(f"cannot listen on {self.address}: choose another port with {_KEY}") from error
        self.address = HostPort(self.address.host, port)
        await self._server.start()
        for service in ("", SERVICE):
            await self._health.set(service, HealthCheckResponse.SERVING)

    def _add_port(self) -> int:
        if self._tls is None:
            return int(self._server.add_insecure_port(str(self.address)))
        return int(self._server.add_secure_port(str(self.address), grpc_credentials(self._tls)))

    async def drain(self) -> None:
        """Tell health checks to send no new streams. Streams are still served."""
        await self._health.enter_graceful_shutdown()

    async def stop(self, grace: float) -> None:
        """Refuse new streams at once, and cut those that still run after ``grace`` seconds."""
        await self.drain()
        await self._server.stop(grace)

    async def _process(self, messages: AsyncIterator[ProcessingRequest], context: Any) -> None:  # noqa: ANN401
        # Answers are written rather than yielded: a generator that is cancelled while it yields is closed at some
        # later time, and the exchange must end when the stream does.
        session = Session(self._engine_now, self._mode, self._max_body)
        try:
            async for message in messages:
                for answer in await self._answers(session, message):
                    await context.write(answer)
        finally:
            self._close(session)

    async def _answers(self, session: Session, message: ProcessingRequest) -> list[ProcessingResponse]:
        try:
            async with asyncio.timeout(self._deadline()):
                return await session.handle(message)
        except TimeoutError:
            self._report(session)
            return session.fail(message, RouterTimeout())
        except Exception:  # noqa: BLE001  (the edge)
            self._report(session)
            return session.fail(message, RouterFailed())

    def _close(self, session: Session) -> None:
        try:
            session.close()
        except Exception:  # noqa: BLE001  (the edge)
            self._report(session)

    def _report(self, session: Session) -> None:
        self._count_failure()
        _log.exception("request %s failed inside waypost", session.request_id or "without id")


_CONNECTIONS: Final = 1024
"""Each worker thread of each Envoy holds one or more."""
_STREAMS: Final = 16384
"""Of one connection, a stream for each request under way. Envoy opens another connection beyond it."""
_METADATA: Final = 16 * 2**10
"""Bytes. The headers of the gRPC call itself; those of requests travel in messages."""

_LONGEST_ANSWER: Final = 17 * 2**20
"""An answer that is held back to be checked or restored may be 16 MiB, and then goes on as one message."""


def _options(message_bytes: int) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", message_bytes),
        ("grpc.max_send_message_length", max(message_bytes, _LONGEST_ANSWER)),
        ("grpc.so_reuseport", 0),  # or a second process would silently take half of the streams
        ("grpc.keepalive_time_ms", 60_000),  # notice a remote Envoy that vanished
        ("grpc.keepalive_timeout_ms", 20_000),
        ("grpc.http2.max_ping_strikes", 0),  # Envoy may ping as often as it is configured to
        ("grpc.server_handshake_timeout_ms", 10_000),
        ("grpc.max_allowed_incoming_connections", _CONNECTIONS),
        ("grpc.max_concurrent_streams", _STREAMS),
        ("grpc.max_metadata_size", _METADATA),
        ("grpc.absolute_max_metadata_size", _METADATA),
    ]
