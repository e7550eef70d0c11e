"""Every error of the API has one shape, OpenAI's."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

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


_CODES: Final[dict[int, str]] = {413: "request_too_large"}
"""Where the code is not what HTTP calls the status."""


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
    param = ".".join(map(str, first["loc"][1:])) or None
    more = len(error.errors()) - 1
    message = f"{param or 'The body'}: {first['msg']}" + (f" (and {more} more)" if more else "")
    return answer(400, message, code="invalid_value", param=param)


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    phrase = HTTPStatus(error.status_code).phrase
    message = f"{phrase}." if error.detail == phrase else error.detail
    code = _CODES.get(error.status_code, phrase.lower().replace(" ", "_"))
    return answer(error.status_code, message, code=code, headers=_headers(request, error))


def _headers(request: Request, error: HTTPException) -> Mapping[str, str] | None:
    """Complete the ``Allow`` of a path with several routes: Starlette knows only of the first of them."""
    methods = request.app.openapi()["paths"].get(request.url.path)
    if error.status_code != HTTPStatus.METHOD_NOT_ALLOWED or not methods:
        return error.headers
    return {"Allow": ", ".join(sorted(map(str.upper, methods)))}


async def _failed(_: Request, error: Exception) -> JSONResponse:
    """Say nothing of what failed; the server's log has the traceback."""
    del error
    return answer(500, "waypost failed; its log says why.", type="server_error", code="internal_error")
