"""Envoy's own errors in OpenAI's shape.

The immediate answers of our processor pass through the same place and must not be touched: they come with no
response code details, or with details that begin with ``waypost``, and Envoy's own always have some.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from waypost.serve.envoy.names import Block, type_url
from waypost.wire.headers import SELECTED_MODEL

__all__ = ["local_replies"]

_ENVOYS_OWN: Final = "response.code_details != '' && !response.code_details.startsWith('waypost')"


@dataclass(frozen=True, slots=True)
class _Case:
    """An error of Envoy: when it is this one (CEL), and what the client is told."""

    when: str
    message: str
    type: str
    code: str | None = None


_CASES: Final = (
    _Case(
        "response.code_details.startsWith('ext_proc_error_per-message_timeout')",
        "The router did not decide in time.",
        "server_error",
        "router_timeout",
    ),
    _Case(
        "response.code_details.startsWith('ext_proc_error')",
        "The router is not available. Try again later.",
        "server_error",
        "router_unavailable",
    ),
    _Case(
        "response.code == 413",
        "The request body is too large.",
        "invalid_request_error",
        "request_too_large",
    ),
    _Case(
        f"response.code in [502, 503] && '{SELECTED_MODEL}' in request.headers",
        f"No backend of model %REQ({SELECTED_MODEL})% is reachable. Try again later.",
        "server_error",
        "backend_unavailable",
    ),
    _Case(
        "response.code in [502, 503]",
        "The backend is not reachable. Try again later.",
        "server_error",
        "backend_unavailable",
    ),
    _Case("response.code == 504", "The backend did not answer in time.", "server_error", "backend_timeout"),
    _Case("response.code == 404", "There is nothing at this path.", "invalid_request_error", "not_found"),
    _Case("response.code == 408", "The request did not arrive in time.", "invalid_request_error", "request_timeout"),
    _Case("response.code < 500", "The HTTP request is malformed.", "invalid_request_error"),
    _Case("response.code >= 500", "The gateway failed.", "server_error"),
)


def local_replies() -> Block:
    """Build the ``local_reply_config`` of the connection manager. The first case that holds wins."""
    return {"mappers": [_mapper(case) for case in _CASES]}


def _mapper(case: _Case) -> Block:
    error = {"message": case.message, "type": case.type, "param": None, "code": case.code}
    return {
        "filter": {
            "extension_filter": {
                "name": "envoy.access_loggers.extension_filters.cel",
                "typed_config": {
                    "@type": type_url("envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter"),
                    "expression": f"{_ENVOYS_OWN} && ({case.when})",
                },
            }
        },
        "body_format_override": {"json_format": {"error": error}},
    }
