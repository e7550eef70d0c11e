"""What the parts of the generated configuration call each other."""

from __future__ import annotations

import re
from typing import Any, Final

from waypost.config.schema import Model

__all__ = [
    "EXTPROC",
    "LISTENER",
    "ORIGINAL_DST",
    "ROUTES",
    "STATS",
    "Block",
    "backend_path",
    "cluster_name",
    "seconds",
    "type_url",
]

Block = dict[str, Any]
"""One JSON object of Envoy's v3 API; the field names are those of its protos (www.envoyproxy.io/docs)."""

EXTPROC: Final = "extproc"
"""The cluster of our own processors."""
ORIGINAL_DST: Final = "original_dst"
LISTENER: Final = "http"
ROUTES: Final = "models"
STATS: Final = "waypost"
"""Envoy counts what happens on our listener under ``http.waypost.``"""

_UNSAFE = re.compile(r"[^A-Za-z0-9-]")


def type_url(message: str) -> str:
    """Write ``envoy.x.v3.Y`` as the ``@type`` of an Any."""
    return f"type.googleapis.com/{message}"


def seconds(value: float) -> str:
    """Write a protobuf Duration in JSON, to the millisecond."""
    return f"{value:.3f}s"


def backend_path(model: Model) -> str:
    """Tell what is put before ``/v1/…`` for this model: no slash at its end, often empty.

    Hosted APIs give their base URL with the version (``https://host/api/v1``); requests already carry it.
    """
    return model.endpoints[0].path.removesuffix("/v1")


def cluster_name(name: str, model: Model) -> str:
    """Name the cluster of a model: unique, and made of characters that need no escape in statistics.

    The backend path is part of it because a route rewrites to that path: on a reload that changes it, the old route
    keeps the old cluster until both are switched at once.
    """
    path = backend_path(model)
    return f"model_{_plain(name)}" + (f"_{_plain(path)}" if path else "")


def _plain(text: str) -> str:
    """Escape reversibly, so that no two texts become one; ``__`` never comes out."""
    return _UNSAFE.sub(lambda found: f"_{ord(found[0]):02x}", text)
