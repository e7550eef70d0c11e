"""What Envoy reads once, at its start: who it is, where its admin socket is, which files to watch."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from waypost.serve.envoy.layout import Layout
from waypost.serve.envoy.names import Block, type_url

__all__ = ["NODE", "bootstrap", "watched"]

NODE: Final = {"id": "waypost", "cluster": "waypost"}


def bootstrap(layout: Layout, max_connections: int) -> Block:
    """Build the bootstrap with file-watched CDS and LDS, and a bound on the connections of all clients together.

    The admin interface can end the process and show its configuration, so it is a socket that only we can open.
    """
    return {
        "node": NODE,
        "admin": {
            "address": {"pipe": {"path": str(layout.admin), "mode": 0o600}},
            "ignore_global_conn_limit": True,  # or a flood of clients would keep us from draining
        },
        "overload_manager": {"resource_monitors": [_connections(max_connections)]},
        "dynamic_resources": {"cds_config": watched(layout.clusters), "lds_config": watched(layout.listeners)},
    }


def _connections(most: int) -> Block:
    config = type_url("envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig")
    return {
        "name": "envoy.resource_monitors.global_downstream_max_connections",
        "typed_config": {"@type": config, "max_active_downstream_connections": most},
    }


def watched(file: Path) -> Block:
    """Make a ConfigSource that follows a file; it is re-read when another file is renamed onto it."""
    return {"resource_api_version": "V3", "path_config_source": {"path": str(file)}}
