"""``/info/endpoints``: the servers behind the router, and how Envoy finds them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from fastapi import APIRouter

from waypost.config.load import Loaded
from waypost.errors import SetupError
from waypost.serve.api.errors import Unavailable
from waypost.serve.api.model import Tell
from waypost.serve.api.services import Serving, StoreNow
from waypost.serve.envoy.hosts import Host, Hosts, endpoints_of

__all__ = ["router"]

router = APIRouter(tags=["information"])


class EndpointHealth(Tell):
    """One address of an endpoint. The counts are Envoy's, since it knows the address; they are of one attempt each."""

    url: str
    """As the configuration writes it."""
    address: str | None
    """Where Envoy connects to; null while it knows no address, and where no Envoy is ours."""
    state: Literal["healthy", "ejected", "failed_check", "unknown"]
    """``ejected``: out of rotation after failures in a row; ``failed_check``: its health check fails."""
    requests: int
    errors: int
    """Answers with 5xx, and requests without an answer."""
    active: int
    connect_failures: int


class ModelHealth(Tell):
    """A model of the pool."""

    name: str
    available: bool | None
    """Whether some endpoint takes requests; null where nobody knows."""
    endpoints: list[EndpointHealth]


class Endpoints(Tell):
    """Every server of the pool."""

    source: Literal["envoy"] | None
    """Null where waypost runs without an Envoy of its own: then every state is unknown."""
    models: list[ModelHealth]


@router.get("/info/endpoints")
async def endpoints(store: StoreNow, services: Serving) -> Endpoints:
    """Tell of each server whether it takes requests, and what became of those it got."""
    admin, loaded = services.admin(), store.in_force
    try:
        found = await admin.hosts() if admin else {}
    except SetupError as error:
        raise Unavailable(f"{error}.", code="no_envoy") from error
    models = [_model(loaded, name, found) for name in loaded.config.models]
    return Endpoints(source="envoy" if admin else None, models=models)


def _model(loaded: Loaded, name: str, found: Hosts) -> ModelHealth:
    told = list(_endpoints(loaded, name, found))
    known = [each.state == "healthy" for each in told if each.state != "unknown"]
    return ModelHealth(name=name, available=any(known) if known else None, endpoints=told)


def _endpoints(loaded: Loaded, name: str, found: Hosts) -> Iterator[EndpointHealth]:
    for url, own in endpoints_of(found, loaded, name):
        for host in own:
            yield _endpoint(url, host)
        if not own:
            yield EndpointHealth(
                url=url, address=None, state="unknown", requests=0, errors=0, active=0, connect_failures=0
            )


def _endpoint(url: str, host: Host) -> EndpointHealth:
    return EndpointHealth(
        url=url,
        address=str(host.address),
        state="ejected" if host.ejected else "failed_check" if host.failed_check else "healthy",
        requests=host.requests,
        errors=host.errors,
        active=host.active,
        connect_failures=host.connect_failures,
    )
