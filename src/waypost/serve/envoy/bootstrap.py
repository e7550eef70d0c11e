"""What Envoy reads once, at its start: who it is, where its admin socket is, which files to watch."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from waypost.serve.envoy.layout import Layout
from waypost.serve.envoy.names import Block

__all__ = ["NODE", "bootstrap", "watched"]

NODE: Final = {"id": "waypost", "cluster": "waypost"}


def bootstrap(layout: Layout) -> Block:
    """Build the bootstrap with file-watched CDS and LDS.

    The admin interface can end the process and show its configuration, so it is a socket that only we can open.
    """
    return {
        "node": NODE,
        "admin": {"address": {"pipe": {"path": str(layout.admin), "mode": 0o600}}},
        "dynamic_resources": {"cds_config": watched(layout.clusters), "lds_config": watched(layout.listeners)},
    }


def watched(file: Path) -> Block:
    """Make a ConfigSource that follows a file; it is re-read when another file is renamed onto it."""
    return {"resource_api_version": "V3", "path_config_source": {"path": str(file)}}
