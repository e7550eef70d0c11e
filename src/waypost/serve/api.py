"""The HTTP side doors: health and readiness on the API port, metrics on their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from waypost import __version__
from waypost.observe.metrics import Metrics

__all__ = ["Status", "api_app", "metrics_app"]


@dataclass(frozen=True, slots=True)
class Status:
    """What ``/ready`` tells. Ready means that every check is True."""

    checks: Mapping[str, bool]
    config: str
    """Digest of the configuration in force."""
    reload_error: str = ""
    """Why the last reload was refused; empty when it was not."""
    guards: Mapping[str, str] = field(default_factory=dict)
    """The guards in force: ``ok``, or why one could not tell, lately. One that then blocks is also a check."""

    @property
    def ready(self) -> bool:
        """Whether requests would be served."""
        return all(self.checks.values())


def api_app(status: Callable[[], Status]) -> Starlette:
    """``GET /health``: the process lives. ``GET /ready``: requests would be served; 503 when not."""

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "healthy", "service": "waypost", "version": __version__})

    async def ready(_: Request) -> Response:
        now = status()
        body = {
            "status": "ready" if now.ready else "not ready",
            "version": __version__,
            "config": now.config,
            "reload_error": now.reload_error or None,
            "checks": dict(now.checks),
            "guards": dict(now.guards),
        }
        return JSONResponse(body, status_code=200 if now.ready else 503)

    return Starlette(routes=[Route("/health", health), Route("/ready", ready)])


def metrics_app(metrics: Metrics) -> Starlette:
    """``GET /metrics`` for Prometheus."""

    async def render(_: Request) -> Response:
        return Response(metrics.render(), media_type=metrics.content_type)

    return Starlette(routes=[Route("/metrics", render)])
