"""``/api/v1/metrics``: the metrics once more, for pages that may ask no other address than their own."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from waypost.serve.api.services import Serving

__all__ = ["router"]

router = APIRouter(include_in_schema=False)  # for the pages; it changes with them


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(services: Serving) -> PlainTextResponse:
    """Tell what ``listeners.metrics`` answers a scrape with."""
    return PlainTextResponse(services.metrics())
