"""The metrics, and how we are, on a port of their own that asks for no token."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response

from waypost.observe.metrics import Metrics
from waypost.serve.api import health
from waypost.serve.api.services import Services

__all__ = ["metrics_app"]


def metrics_app(metrics: Metrics, services: Services) -> FastAPI:
    """``GET /metrics`` for Prometheus; ``/health`` and ``/ready`` for probes, which may have no certificate."""

    async def render(_: Request) -> Response:
        return Response(metrics.render(), media_type=metrics.content_type)

    app = FastAPI(openapi_url=None)
    app.state.services = services
    app.include_router(health.router)
    app.add_route("/metrics", render)
    return app
