"""``POST /api/v1/playground/chat``: a chat by way of Envoy's listener, so that a page sees what a client gets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack
from typing import Annotated, Any, Final

import httpx
from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import Field

from waypost.engine import Engine
from waypost.serve.api.dashboard.near import near
from waypost.serve.api.errors import Unavailable
from waypost.serve.api.evaluate import Chat, written
from waypost.serve.api.services import EngineNow, StoreNow

__all__ = ["router"]

router = APIRouter(include_in_schema=False)  # for the pages; it changes with them

_PATH: Final = "/v1/chat/completions"
_TOLD: Final = ("content-type", "server-timing", "x-request-id")
"""Headers of the answer that are passed on, beside all that begin with ``x-vsr-``."""
_SENT: Final = {"content-type": "application/json", "x-vsr-debug": "true", "accept-encoding": "identity"}
_GONE: Final = 499
"""nginx's status for a client that did not wait; nobody reads it."""


class PlaygroundChat(Chat):
    """A chat. The answer is a stream, with the usage at its end."""

    max_tokens: Annotated[int, Field(ge=1, le=2**20)] | None = None
    """Absent: as the backend likes."""


@router.post("/playground/chat", response_class=StreamingResponse)
async def chat(body: PlaygroundChat, request: Request, engine: EngineNow, store: StoreNow) -> Response:
    """Send a chat to Envoy as any client would, and pass on what comes back with the headers that explain it."""
    config = store.in_force.config
    if not config.envoy.enabled:
        raise Unavailable("waypost runs without an Envoy of its own (envoy.enabled), so no chat.", code="no_listener")
    asked = written(_asked(body, engine))
    async with AsyncExitStack() as opened:
        http = await opened.enter_async_context(_client(near(config.listeners.http)))
        # The caller's own headers stay here: its token is for this API, not for a backend.
        sending = http.send(http.build_request("POST", _PATH, content=asked, headers=_SENT), stream=True)
        try:
            answer = await _unless_gone(sending, request)
        except httpx.TransportError as error:
            raise Unavailable(f"Envoy does not answer on {config.listeners.http}.", code="no_listener") from error
        if answer is None:
            return Response(status_code=_GONE)
        opened.push_async_callback(answer.aclose)
        told = {name: value for name, value in answer.headers.items() if name in _TOLD or name.startswith("x-vsr-")}
        return StreamingResponse(_pieces(answer, opened.pop_all()), answer.status_code, told)


def _client(url: str) -> httpx.AsyncClient:
    """Make a client of our own listener.

    That one speaks plain HTTP, whatever the configuration says, and no redirection is followed: no certificate will
    ever be looked at. To read those of all authorities takes 15 ms, in which no traffic moves.
    """
    return httpx.AsyncClient(base_url=url, trust_env=False, timeout=None, verify=False)  # noqa: S113, S501 (see above)


async def _unless_gone(sending: Coroutine[Any, Any, httpx.Response], request: Request) -> httpx.Response | None:
    """Wait for the answer as long as the client does: what it has stopped must not go on spending. None: it is gone."""
    answered, gone = asyncio.create_task(sending), asyncio.create_task(_disconnected(request))
    try:
        await asyncio.wait((answered, gone), return_when=asyncio.FIRST_COMPLETED)
        return answered.result() if answered.done() else None
    finally:
        for task in (answered, gone):
            task.cancel()
        await asyncio.gather(answered, gone, return_exceptions=True)  # until the connection to Envoy is closed


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass  # the body is read, so nothing else is to come


def _asked(body: PlaygroundChat, engine: Engine) -> dict[str, Any]:
    fields = body.model_dump(exclude_defaults=True)
    return {
        "model": engine.model_names[0],
        **fields,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


async def _pieces(answer: httpx.Response, opened: AsyncExitStack) -> AsyncIterator[bytes]:
    """Pass on each piece as it comes. Where the stream breaks off, so does ours: it lacks its ``[DONE]``."""
    try:
        async for piece in answer.aiter_raw():
            yield piece
    except httpx.TransportError:
        return
    finally:
        await opened.aclose()
