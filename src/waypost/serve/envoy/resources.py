"""The three sets of resources that a running Envoy follows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from waypost.serve.envoy.names import ROUTES, STATS, Block, type_url

__all__ = ["CLUSTERS", "KINDS", "LISTENERS", "ROUTE_TABLE", "Kind", "document"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of resource: its message, the file that Envoy watches, and where it counts what became of an update."""

    message: str
    file: str
    stats: str

    @property
    def version(self) -> str:
        """The statistic that holds the version in force."""
        return f"{self.stats}.version_text"

    @property
    def refusals(self) -> str:
        """The statistic that counts the updates that Envoy understood and refused."""
        return f"{self.stats}.update_rejected"


CLUSTERS: Final = Kind("envoy.config.cluster.v3.Cluster", "clusters.json", "cluster_manager.cds")
LISTENERS: Final = Kind("envoy.config.listener.v3.Listener", "listeners.json", "listener_manager.lds")
ROUTE_TABLE: Final = Kind("envoy.config.route.v3.RouteConfiguration", "routes.json", f"http.{STATS}.rds.{ROUTES}")
KINDS: Final = (CLUSTERS, ROUTE_TABLE, LISTENERS)
"""In the order in which they are changed: nothing may point to what is not there yet."""


def document(kind: Kind, resources: Iterable[Block]) -> Block:
    """Build a DiscoveryResponse. Its version is a digest, so equal resources have equal versions."""
    found = [{"@type": type_url(kind.message), **resource} for resource in resources]
    digest = hashlib.sha256(json.dumps(found).encode()).hexdigest()
    return {"version_info": digest[:16], "resources": found}
