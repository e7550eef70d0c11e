"""How Envoy finds the servers that it sends requests to: its ``/clusters?format=json``, read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from waypost.config.load import Loaded
from waypost.config.schema import Config, Endpoint
from waypost.config.units import HostPort
from waypost.serve.envoy.names import ORIGINAL_DST, cluster_name
from waypost.serve.envoy.routes import by_destination

__all__ = ["Host", "Hosts", "endpoints_of", "hosts", "hosts_of"]


@dataclass(frozen=True, slots=True)
class Host:
    """One server of a cluster. The counts are those of this Envoy since the cluster was made."""

    address: HostPort
    """Where it connects to: an IP address, also of a server that is configured by its name."""
    name: str
    """What the configuration calls the server; empty for an address that only the processor named."""
    ejected: bool
    """Whether outlier detection took it out of rotation, for now."""
    failed_check: bool
    """Whether it fails its active health checks."""
    requests: int
    errors: int
    """Answers with 5xx, and requests that got none."""
    active: int
    """Requests under way."""
    connect_failures: int

    @property
    def healthy(self) -> bool:
        """Whether requests are sent there; where every server of a cluster is unhealthy, Envoy tries all of them."""
        return not (self.ejected or self.failed_check)


Hosts = Mapping[str, tuple[Host, ...]]
"""By the name of their cluster."""


def hosts(told: Mapping[str, Any]) -> Hosts:
    """Return the servers of each cluster. Of one whose DNS gave nothing yet there are none.

    ``told``: an ``envoy.admin.v3.Clusters`` in JSON, which leaves out what is false or zero.
    """
    return {
        cluster["name"]: tuple(_host(status) for status in cluster.get("host_statuses", ()))
        for cluster in told.get("cluster_statuses", ())
    }


def hosts_of(found: Hosts, config: Config, model: str, endpoint: Endpoint) -> tuple[Host, ...]:
    """Return what an endpoint of a model is to Envoy: several hosts where its name has several addresses."""
    settings = config.models[model]
    address = HostPort(endpoint.host, endpoint.port)
    if by_destination(config, settings):
        return tuple(host for host in found.get(ORIGINAL_DST, ()) if host.address == address)
    names = {endpoint.host, str(address), str(address).rpartition(":")[0]}  # of https, of a port that is not the usual
    members = found.get(cluster_name(model, settings), ())
    return tuple(host for host in members if host.name in names and host.address.port == endpoint.port)


def endpoints_of(found: Hosts, loaded: Loaded, model: str) -> Iterator[tuple[str, tuple[Host, ...]]]:
    """Yield the URL of each endpoint of a model, as the configuration writes it, with what the endpoint is to Envoy."""
    for index, endpoint in enumerate(loaded.config.models[model].endpoints):
        url = loaded.templates.get(("models", model, "endpoints", index, "url"), endpoint.url)
        yield url, hosts_of(found, loaded.config, model, endpoint)


def _host(status: Mapping[str, Any]) -> Host:
    socket = status["address"]["socket_address"]
    health = status.get("health_status", {})
    counts = {stat["name"]: int(stat.get("value", 0)) for stat in status.get("stats", ())}
    return Host(
        address=HostPort(socket["address"], socket["port_value"]),
        name=status.get("hostname", ""),
        ejected=bool(health.get("failed_outlier_check")),
        failed_check=bool(health.get("failed_active_health_check")),
        requests=counts.get("rq_total", 0),
        errors=counts.get("rq_error", 0),
        active=counts.get("rq_active", 0),
        connect_failures=counts.get("cx_connect_fail", 0),
    )
