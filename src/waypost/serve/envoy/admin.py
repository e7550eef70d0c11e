"""Envoy's admin interface, over its Unix socket."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import httpx

from waypost.errors import SetupError
from waypost.serve.envoy.hosts import Hosts, hosts
from waypost.serve.envoy.names import STATS

__all__ = ["Admin"]

_TIMEOUT: Final = 5.0
_ACTIVE: Final = f"http.{STATS}.downstream_rq_active"


class Admin:
    """A client. Every method but :meth:`ready` raises SetupError when Envoy does not answer."""

    def __init__(self, socket: Path) -> None:
        transport = httpx.AsyncHTTPTransport(uds=str(socket))
        self._http = httpx.AsyncClient(transport=transport, base_url="http://envoy", timeout=_TIMEOUT)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def ready(self) -> bool:
        """Say whether Envoy is LIVE: has its first configuration and does not drain. False when it does not answer."""
        try:
            return (await self._http.get("/ready")).is_success
        except httpx.TransportError:
            return False

    async def stats(self, names: Iterable[str]) -> dict[str, int | str]:
        """Read the counters, gauges and texts with these names; those that Envoy does not have yet are left out."""
        pattern = "|".join(re.escape(name) for name in names)
        answer = await self._request("GET", "/stats", {"format": "json", "filter": f"^({pattern})$"})
        return {stat["name"]: stat["value"] for stat in answer.json()["stats"] if "name" in stat}

    async def active_requests(self) -> int:
        """Count the requests of clients that are under way."""
        return int((await self.stats([_ACTIVE])).get(_ACTIVE, 0))

    async def hosts(self) -> Hosts:
        """Tell how each server is: in rotation or not, and what became of its requests."""
        return hosts((await self._request("GET", "/clusters", {"format": "json"})).json())

    async def drain(self) -> None:
        """Take no new connections, and have the clients of the old ones leave after their present request."""
        await self._request("POST", "/healthcheck/fail")
        await self._request("POST", "/drain_listeners")

    async def quit(self) -> None:
        """End the process. What is under way is cut."""
        await self._request("POST", "/quitquitquit")

    async def _request(self, method: str, path: str, params: dict[str, str] | None = None) -> httpx.Response:
        try:
            return (await self._http.request(method, path, params=params)).raise_for_status()
        except httpx.HTTPError as error:
            raise SetupError(f"Envoy's admin interface does not answer {path}: {error!r}") from error
