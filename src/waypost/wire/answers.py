"""Answers that waypost writes itself, in OpenAI's shapes."""

from __future__ import annotations

from collections.abc import Iterable

from waypost.errors import RequestError
from waypost.types import Reply
from waypost.wire.encode import to_json

__all__ = ["error", "from_exception", "model_list"]


def error(status: int, message: str, type: str, code: str | None = None, param: str | None = None) -> Reply:  # noqa: A002
    """OpenAI's error object (https://platform.openai.com/docs/guides/error-codes)."""
    return _json(status, {"error": {"message": message, "type": type, "param": param, "code": code}})


def from_exception(reason: RequestError) -> Reply:
    """Write the answer to a request that cannot be served as sent."""
    return error(reason.status, str(reason), reason.type, reason.code, reason.param)


def model_list(ids: Iterable[str], created: int) -> Reply:
    """Write the answer to ``GET /v1/models``; ``created`` is in seconds since 1970."""
    models = [{"id": name, "object": "model", "created": created, "owned_by": "waypost"} for name in ids]
    return _json(200, {"object": "list", "data": models})


def _json(status: int, value: object) -> Reply:
    return Reply(status, to_json(value).encode())
