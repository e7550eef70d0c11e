"""``POST /api/v1/playground/chat``: a chat by way of Envoy's listener, so that a page sees what a client gets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

import httpx
from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from pydantic import Field

from waypost.engine import Engine
from waypost.serve.api.dashboard.near import near
from waypost.serve.api.errors import Unavailable
from waypost.serve.api.evaluate import Chat
from waypost.serve.api.services import EngineNow, StoreNow

__all__ = ["router"]

router = APIRouter(include_in_schema=False)  # for the pages; it changes with them

_PATH: Final = "/v1/chat/completions"
_TOLD: Final = ("content-type", "server-timing", "x-request-id")
"""Headers of the answer that are passed on, beside all that begin with ``x-vsr-``."""
_DETAILS: Final = {"x-vsr-debug": "true", "accept-encoding": "identity"}


class PlaygroundChat(Chat):
    """A chat. The answer is a stream, with the usage at its end."""

    max_tokens: Annotated[int, Field(ge=1, le=2**20)] | None = None
    """Absent: as the backend likes."""


@router.post("/playground/chat", response_class=StreamingResponse)
async def chat(body: PlaygroundChat, engine: EngineNow, store: StoreNow) -> StreamingResponse:
    """Send a chat to Envoy as any client would, and pass on what comes back with the headers that explain it."""
    config = store.in_force.config
    if not config.envoy.enabled:
        raise Unavailable("waypost runs without an Envoy of its own (envoy.enabled), so no chat.", code="no_listener")
    # The caller's own headers stay here: its token is for this API, not for a backend.
    http = httpx.AsyncClient(base_url=near(config.listeners.http), trust_env=False, timeout=None)  # noqa: S113 (Envoy's)
    try:
        answer = await http.send(
            http.build_request("POST", _PATH, json=_asked(body, engine), headers=_DETAILS), stream=True
        )
    except httpx.TransportError as error:
        await http.aclose()
        raise Unavailable(f"Envoy does not answer on {config.listeners.http}.", code="no_listener") from error
    told = {name: value for name, value in answer.headers.items() if name in _TOLD or name.startswith("x-vsr-")}
    return StreamingResponse(_pieces(http, answer), answer.status_code, told)


def _asked(body: PlaygroundChat, engine: Engine) -> dict[str, Any]:
    fields = body.model_dump(exclude_defaults=True)
    return {
        "model": engine.model_names[0],
        **fields,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


async def _pieces(http: httpx.AsyncClient, answer: httpx.Response) -> AsyncIterator[bytes]:
    """Pass on each piece as it comes. Where the stream breaks off, so does ours: it lacks its ``[DONE]``."""
    try:
        async for piece in answer.aiter_raw():
            yield piece
    except httpx.TransportError:
        return
    finally:
        await answer.aclose()
        await http.aclose()
