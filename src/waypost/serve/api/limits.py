"""How much a client may ask: requests in a minute, and bytes in a request."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from waypost.serve.api.errors import answer

__all__ = ["BodyLimit", "RateLimit"]

_FILES: Final = "/web/"
"""The dashboard's own files: one page takes some fifty of them."""
_UNCOUNTED: Final = ("/health", "/ready")
_REMEMBERED: Final = 4096
"""Addresses."""


class RateLimit:
    """A bucket of tokens for each client address; it holds a minute's worth."""

    def __init__(self, app: ASGIApp, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._per_minute = per_minute
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """Tokens that were left, and when; the address that asked last is the last."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on."""
        if scope["type"] != "http" or scope["path"] in _UNCOUNTED or scope["path"].startswith(_FILES):
            await self._app(scope, receive, send)
        elif wait := self._take((scope.get("client") or ("",))[0]):
            message = f"More than {self._per_minute} requests in a minute; try again in {wait} s."
            refusal = answer(
                429, message, type="rate_limit_error", code="rate_limit_exceeded", headers={"Retry-After": str(wait)}
            )
            await refusal(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _take(self, address: str) -> int:
        """Take a token; returns the whole seconds to wait for one, 0 when there was one."""
        now = self._clock()
        left, since = self._buckets.pop(address, (float(self._per_minute), now))
        left = min(self._per_minute, left + (now - since) * self._per_minute / 60)
        taken = left >= 1
        self._buckets[address] = (left - taken, now)
        if len(self._buckets) > _REMEMBERED:
            self._buckets.popitem(last=False)
        return 0 if taken else math.ceil((1 - left) * 60 / self._per_minute)


class BodyLimit:
    """Refuses bodies that say, or turn out, to be longer than a number of bytes.

    FastAPI's own limit answers in another shape than everything else.
    """

    def __init__(self, app: ASGIApp, max_body: int) -> None:
        self._app = app
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on what is counted while it is read."""
        declared = Headers(scope=scope).get("content-length", "0") if scope["type"] == "http" else "0"
        if declared.isdecimal() and int(declared) > self._max_body:
            await answer(413, self._message, code="request_too_large")(scope, receive, send)
        else:
            await self._app(scope, self._counted(receive), send)

    def _counted(self, receive: Receive) -> Receive:
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_body:
                raise HTTPException(413, self._message)
            return message

        return counted

    @property
    def _message(self) -> str:
        return f"The body is longer than {self._max_body} bytes (api.max_body)."
