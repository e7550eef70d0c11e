"""``/api/v1/metrics``: the metrics once more, for pages that may ask no other address than their own."""

from __future__ import annotations

from typing import Final

import httpx
from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from waypost.serve.api.dashboard.near import near
from waypost.serve.api.errors import Unavailable
from waypost.serve.api.services import StoreNow

__all__ = ["router"]

router = APIRouter(include_in_schema=False)  # for the pages; it changes with them

_TIMEOUT: Final = 5.0


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(store: StoreNow) -> PlainTextResponse:
    """Pass on what ``listeners.metrics`` answers a scrape with."""
    # Asked for over HTTP, so that whoever answers there for several processes answers here for all of them, too.
    config = store.in_force.config
    listener, tls = config.listeners.metrics, config.tls.metrics is not None
    # Its certificate is for the names that others know it by, so it proves nothing here, where it is this machine.
    http = httpx.AsyncClient(base_url=near(listener, tls=tls), trust_env=False, timeout=_TIMEOUT, verify=False)  # noqa: S501
    try:
        async with http:
            answer = (await http.get("/metrics")).raise_for_status()
    except httpx.HTTPError as error:
        raise Unavailable(f"Nobody tells the metrics on {listener}.", code="no_metrics") from error
    return PlainTextResponse(answer.text)
