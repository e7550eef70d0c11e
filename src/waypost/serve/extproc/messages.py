"""The messages that waypost sends to Envoy, each built in one place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from waypost.serve.extproc.headers import mutation
from waypost.serve.extproc.proto.extproc_pb2 import (
    BodyMutation,
    BodyResponse,
    CommonResponse,
    HeadersResponse,
    HttpStatus,
    ImmediateResponse,
    ProcessingMode,
    ProcessingResponse,
    StreamedBodyResponse,
    TrailersResponse,
)
from waypost.types import Forward, Reply, ResponseStart

__all__ = [
    "CONTINUE",
    "DETAILS",
    "PIECE_BYTES",
    "changed_body",
    "changed_head",
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
    return ProcessingResponse(
        immediate_response=ImmediateResponse(
            status=HttpStatus(code=reply.status), headers=mutation(reply.headers), body=reply.body, details=DETAILS
        )
    )


def changed_head(forward: Forward, *, skip_body: bool = False) -> ProcessingResponse:
    """Send a request's head on. ``skip_body``: do not show us the body.

    Of ``forward.body`` only the length is told here; its pieces follow.
    """
    return ProcessingResponse(
        request_headers=HeadersResponse(response=_changed(forward)),
        mode_override=_NO_REQUEST_BODY if skip_body else None,
    )


def changed_body(forward: Forward) -> ProcessingResponse:
    """Send a buffered request on, head and body."""
    response = _changed(forward)
    if forward.body is not None:
        response.body_mutation.body = forward.body
    return ProcessingResponse(request_body=BodyResponse(response=response))


def changed_response_head(start: ResponseStart, *, read_live: bool) -> ProcessingResponse:
    """Send an answer's head on. ``read_live``: ask for each piece of the body while the client gets it."""
    change = mutation(start.set_headers, start.remove_headers)
    return ProcessingResponse(
        response_headers=HeadersResponse(response=CommonResponse(header_mutation=change)),
        mode_override=_LIVE_RESPONSE_BODY if read_live else None,
    )


def pieces(kind: str, body: bytes, *, end_of_stream: bool) -> Iterator[ProcessingResponse]:
    """Cut a body for full-duplex streaming; at least one piece. ``end_of_stream`` is false when trailers follow."""
    for start in range(0, max(len(body), 1), PIECE_BYTES):
        stop = start + PIECE_BYTES
        yield piece(kind, body[start:stop], end_of_stream=end_of_stream and stop >= len(body))


def piece(kind: str, body: bytes, *, end_of_stream: bool) -> ProcessingResponse:
    """One piece of a body; ``kind`` is ``request_body`` or ``response_body``."""
    streamed = StreamedBodyResponse(body=body, end_of_stream=end_of_stream)
    response = BodyResponse(response=CommonResponse(body_mutation=BodyMutation(streamed_response=streamed)))
    if kind == "request_body":
        return ProcessingResponse(request_body=response)
    return ProcessingResponse(response_body=response)


def _changed(forward: Forward) -> CommonResponse:
    headers = forward.set_headers
    if forward.body is not None:
        # Envoy answers 500 when the length it was told and the new body's differ.
        headers = (*headers, ("content-length", str(len(forward.body))))
    # Without clear_route_cache the request would go where the client's own headers point.
    return CommonResponse(header_mutation=mutation(headers, forward.remove_headers), clear_route_cache=True)
