"""One server of a model, by weight."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from waypost.config.schema import Endpoint
from waypost.config.units import HostPort

__all__ = ["choose", "destination"]


def choose(endpoints: Sequence[Endpoint], random: Random) -> Endpoint:
    """Choose an endpoint; each is as likely as its share of all weights. ``endpoints`` is not empty."""
    return random.choices(endpoints, [endpoint.weight for endpoint in endpoints])[0]


def destination(endpoints: Sequence[Endpoint], random: Random) -> str:
    """Return ``host:port`` of the chosen endpoint, as ``x-gateway-destination-endpoint`` wants it."""
    endpoint = choose(endpoints, random)
    return str(HostPort(endpoint.host, endpoint.port))
