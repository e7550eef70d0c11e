"""From our configuration to Envoy's: values in, values out, so that a test or a person can read the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from waypost.config.schema import Config
from waypost.config.units import HostPort
from waypost.serve.envoy.bootstrap import NODE, watched
from waypost.serve.envoy.clusters import clusters
from waypost.serve.envoy.layout import Layout
from waypost.serve.envoy.listener import listener
from waypost.serve.envoy.names import ROUTES, Block
from waypost.serve.envoy.routes import routes
from waypost.serve.envoy.trust import ca_bundle

__all__ = ["EnvoyConfig", "render"]


@dataclass(frozen=True, slots=True)
class EnvoyConfig:
    """Everything that Envoy follows while it runs."""

    clusters: tuple[Block, ...]
    routes: Block
    listener: Block
    """Takes its routes from the watched file."""
    standalone: Block
    """The same as one static configuration with its routes inside and no admin interface."""


def render(config: Config, processors: Sequence[HostPort], layout: Layout) -> EnvoyConfig:
    """Build Envoy's configuration; ``processors`` are the addresses of the ExtProc servers.

    Raises SetupError when an endpoint is https and this machine has no CA certificates.
    """
    secure = any(endpoint.scheme == "https" for model in config.models.values() for endpoint in model.endpoints)
    ca = ca_bundle() if secure else None
    table = routes(config)
    whole = {
        "listeners": [listener(config, {"route_config": table})],
        "clusters": clusters(config, processors, ca),
    }
    return EnvoyConfig(
        clusters=tuple(clusters(config, processors, ca, layout.secret)),
        routes=table,
        listener=listener(config, {"rds": {"route_config_name": ROUTES, "config_source": watched(layout.routes)}}),
        standalone={"node": NODE, "static_resources": whole},
    )
