"""The messages that waypost sends to Envoy, each built in one place.

They are filled in from the outside to the inside: a message that is made first and then put into another is copied,
with the body in it, once for each level.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from waypost.serve.extproc.headers import mutate
from waypost.serve.extproc.proto.extproc_pb2 import (
    BodyResponse,
    CommonResponse,
    HeadersResponse,
    ProcessingMode,
    ProcessingResponse,
    TrailersResponse,
)
from waypost.types import Forward, Reply, ResponseStart

__all__ = [
    "CONTINUE",
    "DETAILS",
    "PIECE_BYTES",
    "changed_body",
    "changed_head",
    "changed_response_body",
    "changed_response_head",
    "immediate",
    "piece",
    "pieces",
]

DETAILS: Final = "waypost"
"""Envoy's ``%RESPONSE_CODE_DETAILS%`` of an answer made here, so that its configuration leaves our errors alone."""

PIECE_BYTES: Final = 64 * 2**10
"""The largest piece of a streamed body, as Envoy's API recommends."""

CONTINUE: Final[Mapping[str, ProcessingResponse]] = {
    "request_headers": ProcessingResponse(request_headers=HeadersResponse()),
    "response_headers": ProcessingResponse(response_headers=HeadersResponse()),
    "request_body": ProcessingResponse(request_body=BodyResponse()),
    "response_body": ProcessingResponse(response_body=BodyResponse()),
    "request_trailers": ProcessingResponse(request_trailers=TrailersResponse()),
    "response_trailers": ProcessingResponse(response_trailers=TrailersResponse()),
}
"""Go on unchanged, by the kind of the message that is answered. Shared: never changed."""

# An override replaces the whole mode, so each names everything that still has to come.
_NO_REQUEST_BODY: Final = ProcessingMode(request_body_mode=ProcessingMode.NONE)
_LIVE_RESPONSE_BODY: Final = ProcessingMode(
    response_body_mode=ProcessingMode.STREAMED, response_trailer_mode=ProcessingMode.SEND
)


def immediate(reply: Reply) -> ProcessingResponse:
    """Answer the client at once."""
    response = ProcessingResponse()
    answer = response.immediate_response
    answer.status.code = reply.status
    answer.body = reply.body
    answer.details = DETAILS
    mutate(answer.headers, reply.headers)
    return response


def changed_head(forward: Forward, *, skip_body: bool = False) -> ProcessingResponse:
    """Send a request's head on. ``skip_body``: do not show us the body.

    Of ``forward.body`` only the length is told here; its pieces follow.
    """
    response = ProcessingResponse(mode_override=_NO_REQUEST_BODY if skip_body else None)
    _change(response.request_headers.response, forward)
    return response


def changed_body(forward: Forward) -> ProcessingResponse:
    """Send a buffered request on, head and body."""
    response = ProcessingResponse()
    change = response.request_body.response
    _change(change, forward)
    if forward.body is not None:
        change.body_mutation.body = forward.body
    return response


def changed_response_head(start: ResponseStart, *, read_live: bool) -> ProcessingResponse:
    """Send an answer's head on. ``read_live``: ask for each piece of the body while the client gets it."""
    response = ProcessingResponse(mode_override=_LIVE_RESPONSE_BODY if read_live else None)
    mutate(response.response_headers.response.header_mutation, start.set_headers, start.remove_headers)
    return response


def changed_response_body(body: bytes) -> ProcessingResponse:
    """Send something else in place of one live piece of an answer; nothing, when ``body`` is empty."""
    response = ProcessingResponse()
    mutation = response.response_body.response.body_mutation
    if body:
        mutation.body = body
    else:
        mutation.clear_body = True
    return response


def pieces(kind: str, body: bytes, *, end_of_stream: bool) -> Iterator[ProcessingResponse]:
    """Cut a body for full-duplex streaming; at least one piece. ``end_of_stream`` is false when trailers follow."""
    for start in range(0, max(len(body), 1), PIECE_BYTES):
        stop = start + PIECE_BYTES
        yield piece(kind, body[start:stop], end_of_stream=end_of_stream and stop >= len(body))


def piece(kind: str, body: bytes, *, end_of_stream: bool) -> ProcessingResponse:
    """One piece of a body; ``kind`` is ``request_body`` or ``response_body``."""
    response = ProcessingResponse()
    answer = response.request_body if kind == "request_body" else response.response_body
    streamed = answer.response.body_mutation.streamed_response
    streamed.body = body
    streamed.end_of_stream = end_of_stream
    return response


def _change(into: CommonResponse, forward: Forward) -> None:
    # Without clear_route_cache the request would go where the client's own headers point.
    into.clear_route_cache = True
    mutate(into.header_mutation, forward.set_headers, forward.remove_headers)
    if forward.body is not None:
        # Envoy answers 500 when the length it was told and the new body's differ.
        mutate(into.header_mutation, (("content-length", str(len(forward.body))),))
