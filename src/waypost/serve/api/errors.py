"""Every error of the API has one shape, OpenAI's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match

from waypost.config.redact import without_userinfo
from waypost.errors import ConfigError, InferenceError, RequestError

__all__ = ["RESPONSES", "Conflict", "Forbidden", "Unauthorized", "Unavailable", "answer", "handle_errors"]


class Error(BaseModel):
    """What went wrong."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorAnswer(BaseModel):
    """OpenAI's error object (https://platform.openai.com/docs/guides/error-codes)."""

    error: Error


RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    "4XX": {"model": ErrorAnswer, "description": "The request is wrong, or not allowed."},
    "5XX": {"model": ErrorAnswer, "description": "waypost cannot answer now."},
}
"""For the OpenAPI document, of every endpoint."""


_CODES: Final[dict[int, str]] = {400: "invalid_json", 413: "request_too_large"}
"""Where the code is not what HTTP calls the status; 400 is what FastAPI says of a body that it cannot read."""

_WORDS: Final[dict[str, str]] = {
    "dict_type": "Input should be an object",
    "model_type": "Input should be an object",
    "model_attributes_type": "Input should be an object",
    "union_tag_not_found": "Field {discriminator} required",
    "union_tag_invalid": "{discriminator} should be one of {expected_tags}",
}
"""Where pydantic's own words speak of our classes; with the names of what it tells beside them."""

_TOO_DEEP: Final = "The body is nested too deep."
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


class Unauthorized(RequestError):
    """401: no token, or one that nobody knows."""

    status = 401
    type = "authentication_error"


class Forbidden(RequestError):
    """403: a web page of another site, a name that is not ours, or a token without the role."""

    status = 403
    type = "permission_error"


class Conflict(RequestError):
    """409: what the request builds on is not so any more, or cannot be changed here."""

    status = 409


class Unavailable(RequestError):
    """503: what the endpoint needs is not there, or not yet."""

    status = 503
    type = "server_error"


def answer(
    status: int,
    message: str,
    *,
    type: str = RequestError.type,  # noqa: A002
    code: str | None = None,
    param: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Write an error."""
    error = Error(message=message, type=type, param=param, code=code)
    return JSONResponse(ErrorAnswer(error=error).model_dump(), status, headers)


def handle_errors(app: FastAPI) -> None:
    """Answer whatever an endpoint, the routing or the validation raises."""
    app.add_exception_handler(RequestError, _refused)
    app.add_exception_handler(ConfigError, _misconfigured)
    app.add_exception_handler(InferenceError, _not_inferred)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _failed)


async def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestError)  # noqa: S101 (Starlette's handlers take any exception)
    headers = {"WWW-Authenticate": "Bearer"} if error.status == HTTPStatus.UNAUTHORIZED else None
    return answer(error.status, str(error), type=error.type, code=error.code, param=error.param, headers=headers)


async def _misconfigured(_: Request, error: Exception) -> JSONResponse:
    return answer(422, without_userinfo(str(error)), code="invalid_configuration")


async def _not_inferred(_: Request, error: Exception) -> JSONResponse:
    return answer(503, f"{error}.", type="server_error", code="no_inference")


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return answer(400, "The body is no JSON.", code="invalid_json")
    if first["type"] == "recursion_depth_exceeded":
        return answer(400, _TOO_DEEP, code="invalid_json")
    if isinstance(error.body, bytes):  # FastAPI did not even try
        return answer(400, "The body is not read: send application/json as its Content-Type.", code="invalid_value")
    param = ".".join(map(str, _place(first, error.body))) or None
    said = _WORDS[first["type"]].format_map(first.get("ctx", {})) if first["type"] in _WORDS else first["msg"]
    more = len(error.errors()) - 1
    message = f"{param or 'The body'}: {said}" + (f" (and {more} more)" if more else "")
    return answer(400, message, code="invalid_value", param=param)


def _place(mistake: Mapping[str, Any], body: object) -> Iterator[str | int]:
    """Yield the steps to a mistake that the client knows; pydantic tells between them which part of a union it read."""
    source, *steps = mistake["loc"]
    for left, step in zip(reversed(range(len(steps))), steps, strict=True):
        if source != "body" or (mistake["type"] == "missing" and not left):
            yield step
        elif (isinstance(body, dict) and step in body) or (isinstance(body, list) and isinstance(step, int)):
            yield step
            body = body[step]


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    phrase = HTTPStatus(error.status_code).phrase
    message = _unread(error.__cause__) or (f"{phrase}." if error.detail == phrase else error.detail)
    code = _CODES.get(error.status_code, phrase.lower().replace(" ", "_"))
    return answer(error.status_code, message, code=code, headers=_headers(request, error))


def _unread(cause: BaseException | None) -> str:
    """Say why a body could not be parsed; empty where that is not what happened."""
    match cause:
        case UnicodeDecodeError():
            return "The body is not UTF-8."
        case RecursionError():
            return _TOO_DEEP
        case ValueError():
            return "The body has a number with too many digits."
    return ""


def _headers(request: Request, error: HTTPException) -> Mapping[str, str] | None:
    """Complete the ``Allow`` of a path with several routes: Starlette knows only of the first of them."""
    if error.status_code != HTTPStatus.METHOD_NOT_ALLOWED:
        return error.headers
    routes: list[BaseRoute] = request.app.routes
    scopes = ({**request.scope, "method": method} for method in _METHODS)
    found = (scope for scope in scopes if any(route.matches(scope)[0] is Match.FULL for route in routes))
    allowed = ", ".join(scope["method"] for scope in found)
    return {"Allow": allowed} if allowed else error.headers


async def _failed(_: Request, error: Exception) -> JSONResponse:
    """Say nothing of what failed; the server's log has the traceback.

    uvicorn then drops the connection, which the client must know before it sends the next request on it.
    """
    del error
    message = "waypost failed; its log says why."
    return answer(500, message, type="server_error", code="internal_error", headers={"Connection": "close"})
