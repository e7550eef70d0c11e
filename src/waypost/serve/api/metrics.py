"""The metrics, on a port of their own."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from waypost.observe.metrics import Metrics

__all__ = ["metrics_app"]


def metrics_app(metrics: Metrics) -> Starlette:
    """``GET /metrics`` for Prometheus."""

    async def render(_: Request) -> Response:
        return Response(metrics.render(), media_type=metrics.content_type)

    return Starlette(routes=[Route("/metrics", render)])
