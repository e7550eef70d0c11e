"""Which endpoints of the models take requests, asked of our Envoy again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from waypost.config.load import Loaded
from waypost.errors import SetupError
from waypost.serve.envoy.admin import Admin
from waypost.serve.envoy.hosts import Hosts, endpoints_of
from waypost.serve.envoy.routes import by_destination

__all__ = ["healthy", "watch"]

_EVERY: Final = 10.0
"""Seconds. Envoy writes down every host of every cluster to answer."""

Health = Mapping[tuple[str, str], bool]
"""By model and URL, as the configuration writes it."""


async def watch(
    admin: Callable[[], Admin | None], loaded: Callable[[], Loaded], tell: Callable[[Health], None]
) -> None:
    """Tell at once and every ten seconds how they are; nothing of any while Envoy does not answer."""
    while True:
        try:
            tell(healthy(await asking.hosts(), loaded()) if (asking := admin()) else {})
        except SetupError:
            tell({})
        await asyncio.sleep(_EVERY)


def healthy(found: Hosts, loaded: Loaded) -> Health:
    """Say of each endpoint whether Envoy sends requests there. One whose name has no address gets none.

    What only the processor names, under ``envoy.upstream: original_dst``, is unknown before its first request.
    """
    return dict(_known(found, loaded))


def _known(found: Hosts, loaded: Loaded) -> Iterator[tuple[tuple[str, str], bool]]:
    for model, settings in loaded.config.models.items():
        for url, hosts in endpoints_of(found, loaded, model):
            if hosts or not by_destination(loaded.config, settings):
                yield (model, url), any(host.healthy for host in hosts)
