"""``/health`` and ``/ready``: for whoever restarts or balances us; never asks for a token."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Response

from waypost import __version__
from waypost.serve.api.model import Tell
from waypost.serve.api.services import Serving

__all__ = ["router"]

# HEAD, with which some balancers probe, is GET without the body, as everywhere in HTTP: no operation of its own.
router = APIRouter(tags=["health"])


class Health(Tell):
    """The process lives."""

    status: Literal["healthy"] = "healthy"
    service: Literal["waypost"] = "waypost"
    version: str


class WorkersNow(Tell):
    """Processes that route requests."""

    alive: int
    wanted: int


class Readiness(Tell):
    """Whether requests would be served."""

    status: Literal["ready", "not ready"]
    version: str
    config: str
    """Digest of the configuration in force."""
    reload_error: str | None
    """Why the last reload was refused."""
    checks: dict[str, bool]
    """Every part that requests need."""
    guards: dict[str, str]
    """The guards in force: ``ok``, or why one could not tell, lately."""
    workers: WorkersNow | None
    """The processes of ``--workers``; null when one process does everything."""


@router.head("/health", include_in_schema=False)
@router.get("/health")
async def health() -> Health:
    """Tell that the process lives."""
    return Health(version=__version__)


@router.head("/ready", include_in_schema=False)
@router.get("/ready", responses={503: {"model": Readiness, "description": "Requests would not be served."}})
async def ready(services: Serving, response: Response) -> Readiness:
    """Tell whether requests would be served; 503 when not."""
    now = services.status()
    response.status_code = 200 if now.ready else 503
    return Readiness(
        status="ready" if now.ready else "not ready",
        version=__version__,
        config=now.config,
        reload_error=now.reload_error or None,
        checks=dict(now.checks),
        guards=dict(now.guards),
        workers=WorkersNow(alive=now.workers[0], wanted=now.workers[1]) if now.workers else None,
    )
