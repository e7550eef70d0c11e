"""What waypost shows of itself: log lines, traces, records, and what a model's price is compared with."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from pydantic import Field, WithJsonSchema, field_validator

from waypost.config.naming import Name
from waypost.config.strict import Probability, Strict
from waypost.config.units import Bytes, parse_bytes

__all__ = ["Logs", "Observability", "Records", "Tracing"]

_ENDPOINT: Final = r"^https?://[^\s/@]+:\d+/?$"


class Logs(Strict):
    """Log lines on stderr. Prompts are never logged."""

    format: Literal["text", "json"] = "text"
    level: Literal["debug", "info", "warning", "error"] = "info"
    """What is less is left out; the lines of requests are ``info``."""
    requests: Literal["none", "refused", "all"] = "refused"
    """Which requests get a line: none, those that a guard or an error stopped, or all with decision and tokens."""


class Tracing(Strict):
    """One span for each step of a request, sent over OTLP. Needs the extra ``otel``. No prompt is in a span."""

    exporter: Literal["otlp"] = "otlp"
    endpoint: Annotated[str, WithJsonSchema({"type": "string", "pattern": _ENDPOINT})] = "http://localhost:4317"
    """Of a collector that takes OTLP over gRPC; ``https`` encrypts."""
    sample: Probability = 1.0
    """Share of the requests that are traced. A client that sends a ``traceparent`` has decided for its own."""
    service_name: str = Field("waypost", min_length=1)
    queue: int = Field(2048, ge=1)
    """Requests that wait to be sent; further ones are dropped and counted."""

    @field_validator("endpoint")
    @classmethod
    def _is_an_endpoint(cls, endpoint: str) -> str:
        if not re.fullmatch(_ENDPOINT, endpoint):
            raise ValueError("expected a URL with a port, without a path or a password, such as http://localhost:4317")
        return endpoint.rstrip("/")


class Records(Strict):
    """One JSON line a request in a file, without any of its content: what ``waypost replay`` reads."""

    path: str = Field(min_length=1)
    """Of the file that is written; full ones are kept beside it as ``PATH.1``, ``PATH.2`` and so on."""
    max_size: Bytes = 64 * 2**20
    """Of one file."""
    files: int = Field(4, ge=1, le=1000)
    """How many full files are kept; older ones are deleted."""
    queue: int = Field(4096, ge=1)
    """Records that wait to be written; further ones are dropped and counted."""

    @field_validator("max_size")
    @classmethod
    def _holds_a_few(cls, size: int) -> int:
        if size < parse_bytes("64KiB"):
            raise ValueError("must be at least 64KiB")
        return size


class Observability(Strict):
    """What waypost shows of itself."""

    logs: Logs = Logs()
    tracing: Tracing | None = None
    """Absent: no traces; a client's ``traceparent`` passes to the backend untouched."""
    records: Records | None = None
    """Absent: no records."""
    baseline_model: Name | None = None
    """The model whose price the saved cost is counted against; absent: ``routing.default_model``."""
