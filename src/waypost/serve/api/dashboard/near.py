"""How this process reaches its own listeners."""

from __future__ import annotations

from typing import Final

from waypost.config.units import HostPort

__all__ = ["near"]

_ANYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (where to connect, not where to listen)


def near(listener: HostPort) -> str:
    """Return the URL of a listener; one that listens everywhere is reached over the loopback."""
    return f"http://{HostPort(_ANYWHERE.get(listener.host, listener.host), listener.port)}"
