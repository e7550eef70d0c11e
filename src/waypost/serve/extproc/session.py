"""One ext_proc stream, which is one HTTP request and its answer, without I/O.

A transport gives each message of Envoy to :meth:`Session.handle`, sends what comes back, and calls
:meth:`Session.close` when the stream ends, however it ends::

    buffered               headers → continue         body → changed head and body
    full_duplex_streamed   headers → (nothing yet)    piece → (nothing yet)   last piece → changed head, new pieces

In both, a request that the engine lets pass at its head goes straight on, and any phase may end with an immediate
answer. The answer's head is always shown to the engine; its body only when it asks, piece by piece as it passes. Of an
answer that the engine changes, no piece goes on that it did not give: when something fails, the answer ends there.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Literal, Protocol

from waypost.errors import RequestError, SetupError, TooLarge
from waypost.serve.extproc import messages
from waypost.serve.extproc.headers import request_head, response_head
from waypost.serve.extproc.proto.extproc_pb2 import (
    HttpBody,
    HttpHeaders,
    ProcessingMode,
    ProcessingRequest,
    ProcessingResponse,
    ProtocolConfiguration,
)
from waypost.types import Forward, Reply, RequestHead, ResponseHead, ResponseStart
from waypost.wire.answers import from_exception

__all__ = ["BodyMode", "Engine", "Exchange", "Session"]

BodyMode = Literal["buffered", "full_duplex_streamed"]
"""Envoy's ``request_body_mode``. The others cannot route on the prompt: the head is gone before the body is here."""

_MODES: dict[int, BodyMode] = {
    ProcessingMode.BUFFERED: "buffered",
    ProcessingMode.FULL_DUPLEX_STREAMED: "full_duplex_streamed",
}


class Exchange(Protocol):
    """The engine's side of one request. ``on_headers`` and ``on_body`` may raise RequestError."""

    def on_headers(self) -> Reply | Forward | None:
        """Judge by the head alone; None asks for the body. A Forward from here never has a body."""
        ...

    async def on_body(self, body: bytes) -> Reply | Forward:
        """Judge by the whole body; empty when the request has none, and then no Forward may have one."""
        ...

    def on_response_start(self, head: ResponseHead) -> ResponseStart | Reply:
        """Take the head of the backend's answer; a Reply takes its place."""
        ...

    async def on_chunk(self, data: bytes, *, last: bool) -> bytes | None:
        """Take a piece of the answer's body, if ``read_body`` asked for it; None lets it pass as it is.

        ``last``, once for each answer that is seen to end: nothing follows, and ``data`` may be empty.
        """
        ...

    def on_failure(self, error: RequestError, *, answers: bool) -> None:
        """Take note of a failure outside. ``answers``: it is what the client gets; else the backend's answer stays."""
        ...

    def on_end(self, *, aborted: bool) -> None:
        """Take leave, exactly once. ``aborted``: the stream ended before the answer was seen to end."""
        ...


class Engine(Protocol):
    """What opens exchanges."""

    def open(self, head: RequestHead) -> Exchange:
        """Begin one request."""
        ...


class _Phase(Enum):
    HEAD = auto()
    BODY = auto()
    """The engine wants the body, which is on its way."""
    SENT_ON = auto()
    REPLIED = auto()
    """Answered here. Envoy ignores whatever would follow, so nothing does."""


class Session:
    """The state of one stream. Messages are handled one at a time, in the order in which they came.

    ``engine_now`` gives the engine in force; it is asked once, when the request begins. ``mode`` is what Envoy is
    configured to do, for data planes that do not say it themselves. ``max_body`` is in bytes.
    """

    def __init__(self, engine_now: Callable[[], Engine], mode: BodyMode, max_body: int) -> None:
        self._engine_now = engine_now
        self._mode: BodyMode | None = mode
        self._streamed_response = False
        self._max_body = max_body
        self._phase = _Phase.HEAD
        self._opened: Exchange | None = None
        self._ended = False
        self._reads_response = False
        self._changes_response = False
        self._body: list[bytes] = []
        self._size = 0
        self.request_id = ""
        """Of the request in hand, for the log; empty until its head is here."""

    async def handle(self, message: ProcessingRequest) -> list[ProcessingResponse]:
        """Take one message and give the answers to it, in order; none while a streamed body is collected.

        Raises whatever the engine raises, except RequestError; :meth:`fail` then gives the answer.
        """
        if self._phase is _Phase.REPLIED:
            return []
        try:
            return await self._dispatch(message)
        except RequestError as error:
            return self._refuse(error)

    def fail(self, message: ProcessingRequest, error: RequestError) -> list[ProcessingResponse]:
        """Give the answers to a message whose handling failed.

        That is ``error``, unless the client already has a part of the backend's answer. The rest of it is then left
        alone, or, where the engine was to change it, left out.
        """
        self._reads_response = False
        match message.WhichOneof("request"):
            case "response_body":
                self._note(error, answers=False)
                return self._response_pieces(message.response_body, None)
            case "response_trailers":
                self._note(error, answers=False)
                return [messages.CONTINUE["response_trailers"]]
        return self._refuse(error)

    def close(self) -> None:
        """End the stream. An exchange whose answer was not seen to end is aborted. May be called again."""
        self._body.clear()
        self._end(aborted=True)

    async def _dispatch(self, message: ProcessingRequest) -> list[ProcessingResponse]:
        if message.HasField("protocol_config"):
            self._configure(message.protocol_config)
        match message.WhichOneof("request"):
            case "request_headers":
                return await self._on_request_head(message.request_headers)
            case "request_body":
                return await self._on_request_body(message.request_body)
            case "request_trailers":
                return await self._on_request_trailers()
            case "response_headers":
                return self._on_response_head(message.response_headers)
            case "response_body":
                return await self._on_response_body(message.response_body)
            case "response_trailers":
                return await self._on_response_trailers()
        return []  # a kind that this version of the protocol does not have

    def _configure(self, config: ProtocolConfiguration) -> None:
        self._mode = _MODES.get(config.request_body_mode)
        self._streamed_response = config.response_body_mode == ProcessingMode.FULL_DUPLEX_STREAMED

    async def _on_request_head(self, headers: HttpHeaders) -> list[ProcessingResponse]:
        head = request_head(headers.headers)
        self.request_id = head.headers.get("x-request-id", "")
        self._opened = self._engine_now().open(head)
        action = self._opened.on_headers()
        if action is None and headers.end_of_stream:
            action = await self._opened.on_body(b"")
        match action:
            case Reply():
                return self._reply(action)
            case Forward():
                self._phase = _Phase.SENT_ON
                return [messages.changed_head(action, skip_body=not self._streamed)]
        if self._mode is None:
            raise SetupError("set the ext_proc filter's request_body_mode to BUFFERED or FULL_DUPLEX_STREAMED")
        self._phase = _Phase.BODY
        return [] if self._streamed else [messages.CONTINUE["request_headers"]]

    async def _on_request_body(self, body: HttpBody) -> list[ProcessingResponse]:
        if self._phase is _Phase.SENT_ON:
            if self._streamed:
                return [messages.piece("request_body", body.body, end_of_stream=body.end_of_stream)]
            return [messages.CONTINUE["request_body"]]
        self._size += len(body.body)
        if self._size > self._max_body:
            raise TooLarge(f"The request body is larger than {self._max_body} bytes.", code="request_too_large")
        self._body.append(body.body)
        if self._streamed and not body.end_of_stream:
            return []
        return await self._send_on(end_of_stream=True)

    async def _on_request_trailers(self) -> list[ProcessingResponse]:
        answers = await self._send_on(end_of_stream=False) if self._phase is _Phase.BODY else []
        return answers if self._phase is _Phase.REPLIED else [*answers, messages.CONTINUE["request_trailers"]]

    async def _send_on(self, *, end_of_stream: bool) -> list[ProcessingResponse]:
        body = b"".join(self._body)
        self._body.clear()
        action = await self._exchange.on_body(body)
        if isinstance(action, Reply):
            return self._reply(action)
        self._phase = _Phase.SENT_ON
        if not self._streamed:
            return [messages.changed_body(action)]
        new = body if action.body is None else action.body
        return [messages.changed_head(action), *messages.pieces("request_body", new, end_of_stream=end_of_stream)]

    def _on_response_head(self, headers: HttpHeaders) -> list[ProcessingResponse]:
        if self._opened is None:  # Envoy's own answer to what it refused before we saw it
            return [messages.CONTINUE["response_headers"]]
        start = self._opened.on_response_start(response_head(headers.headers))
        if isinstance(start, Reply):
            return self._reply(start)
        self._reads_response = start.read_body and not headers.end_of_stream
        self._changes_response = start.changes_body and self._reads_response
        if not self._reads_response:
            self._end(aborted=False)
        # Envoy ignores the override beside a streamed request: its configuration has to ask for the pieces.
        return [messages.changed_response_head(start, read_live=self._reads_response and not self._streamed)]

    async def _on_response_body(self, body: HttpBody) -> list[ProcessingResponse]:
        changed = None
        if self._reads_response and (body.body or body.end_of_stream):
            changed = await self._exchange.on_chunk(body.body, last=body.end_of_stream)
        if body.end_of_stream:
            self._end(aborted=False)
        return self._response_pieces(body, changed)

    async def _on_response_trailers(self) -> list[ProcessingResponse]:
        held = await self._exchange.on_chunk(b"", last=True) if self._reads_response else None
        self._end(aborted=False)
        answer = messages.CONTINUE["response_trailers"]
        if not held:
            return [answer]
        if not self._streamed_response:
            raise SetupError("an answer with trailers can be changed only in the mode FULL_DUPLEX_STREAMED")
        return [*messages.pieces("response_body", held, end_of_stream=False), answer]

    def _response_pieces(self, body: HttpBody, changed: bytes | None) -> list[ProcessingResponse]:
        if changed is None and self._changes_response:
            changed = b""  # nobody looked at it
        if self._streamed_response:
            data = body.body if changed is None else changed
            return [*messages.pieces("response_body", data, end_of_stream=body.end_of_stream)]
        return [messages.CONTINUE["response_body"] if changed is None else messages.changed_response_body(changed)]

    def _refuse(self, error: RequestError) -> list[ProcessingResponse]:
        self._note(error, answers=True)
        return self._reply(from_exception(error))

    def _note(self, error: RequestError, *, answers: bool) -> None:
        if self._opened is not None and not self._ended:
            self._opened.on_failure(error, answers=answers)

    def _reply(self, reply: Reply) -> list[ProcessingResponse]:
        self._phase = _Phase.REPLIED
        self._body.clear()
        self._end(aborted=False)
        return [messages.immediate(reply)]

    def _end(self, *, aborted: bool) -> None:
        if self._opened is not None and not self._ended:
            self._ended = True
            self._opened.on_end(aborted=aborted)

    @property
    def _streamed(self) -> bool:
        return self._mode == "full_duplex_streamed"

    @property
    def _exchange(self) -> Exchange:
        if self._opened is None:
            raise SetupError("set the ext_proc filter's request_header_mode to SEND")
        return self._opened
