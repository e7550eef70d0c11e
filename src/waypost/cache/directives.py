"""What a client may say about the cache with its request, in ``cache-control``."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Directives", "directives"]


class Directives(NamedTuple):
    """What may be done for one request."""

    lookup: bool
    store: bool


def directives(cache_control: str) -> Directives:
    """Read the header (RFC 9111, 5.2.1): ``no-cache`` wants a fresh answer, ``no-store`` leaves no trace."""
    names = {part.partition("=")[0].strip().lower() for part in cache_control.split(",")}
    store = "no-store" not in names
    return Directives(lookup=store and "no-cache" not in names, store=store)
