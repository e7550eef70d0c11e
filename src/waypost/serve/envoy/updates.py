"""Changing a running Envoy: the files that it watches, and whether it took what they say."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from waypost.errors import ConfigError, Problem, SetupError, WaypostError
from waypost.serve.envoy.admin import Admin
from waypost.serve.envoy.config import EnvoyConfig
from waypost.serve.envoy.files import write
from waypost.serve.envoy.layout import Layout
from waypost.serve.envoy.names import Block
from waypost.serve.envoy.resources import CLUSTERS, KINDS, LISTENERS, ROUTE_TABLE, Kind, document
from waypost.serve.envoy.routes import joined

__all__ = ["Updates"]

_TIMEOUT: Final = 30.0
_POLL: Final = 0.01
_SETTLE: Final = 0.25
"""Seconds. Envoy keeps for each request the routes of its first moment: a request that we see now and send to a new
model must have begun after the switch, so we wait for as long as a head may need to reach us."""
_WARMING: Final = "cluster_manager.warming_clusters"


class Updates:
    """Publishes what Envoy is to follow. Not safe for two callers at once."""

    def __init__(self, layout: Layout, admin: Admin, first: EnvoyConfig) -> None:
        self._layout = layout
        self._admin = admin
        self._wanted = first
        self._documents: dict[Kind, Block] = {}
        self._write(_documents(first))

    async def in_force(self) -> bool:
        """Tell whether a fresh Envoy follows every file. Raises ConfigError when it has refused one."""
        return await self._taken(dict.fromkeys((kind.refusals for kind in KINDS), 0))

    async def switch(self, to: EnvoyConfig) -> None:
        """Follow ``to``; returns when new requests do. The models of before stay, for requests on their way to them.

        Raises ConfigError when Envoy refuses a part and SetupError when it does not take one in time; what the files
        said before, they say again.
        """
        before = dict(self._documents)
        clusters = {cluster["name"]: cluster for cluster in (*before[CLUSTERS]["resources"], *to.clusters)}
        after = {
            **_documents(to),
            CLUSTERS: document(CLUSTERS, clusters.values()),
            ROUTE_TABLE: document(ROUTE_TABLE, [joined(before[ROUTE_TABLE]["resources"][0], to.routes)]),
        }
        try:
            for kind in KINDS:
                await self._publish(kind, after[kind])
        except WaypostError:
            self._write(before)
            raise
        self._wanted = to
        await asyncio.sleep(_SETTLE)

    async def retire(self) -> None:
        """Drop what only the configurations of before need: the routes first, then the clusters they led to."""
        wanted = _documents(self._wanted)
        for kind in reversed(KINDS):
            await self._publish(kind, wanted[kind])

    async def _publish(self, kind: Kind, wanted: Block) -> None:
        if wanted == self._documents[kind]:
            return
        refused = await self._admin.stats(kind.refusals for kind in KINDS)
        self._write({kind: wanted})
        try:
            async with asyncio.timeout(_TIMEOUT):
                while not await self._taken(refused):  # noqa: ASYNC110 - Envoy sends no events
                    await asyncio.sleep(_POLL)
        except TimeoutError as error:
            raise SetupError(f"Envoy has not taken {self._layout.root / kind.file} in {_TIMEOUT:g} s") from error

    async def _taken(self, refused: Mapping[str, int | str]) -> bool:
        stats = await self._admin.stats(
            [*(kind.version for kind in KINDS), *(kind.refusals for kind in KINDS), _WARMING]
        )
        for kind in KINDS:
            if stats.get(kind.refusals, 0) != refused.get(kind.refusals, 0):
                log = self._layout.log
                raise ConfigError(
                    [Problem(str(self._layout.root / kind.file), 0, 0, "", f"Envoy refuses it (see {log})")]
                )
        return stats.get(_WARMING) == 0 and all(
            stats.get(kind.version) == said["version_info"] for kind, said in self._documents.items()
        )

    def _write(self, documents: Mapping[Kind, Block]) -> None:
        for kind, content in documents.items():
            if content != self._documents.get(kind):
                write(self._layout.root / kind.file, content)
                self._documents[kind] = content


def _documents(config: EnvoyConfig) -> dict[Kind, Block]:
    return {
        CLUSTERS: document(CLUSTERS, config.clusters),
        ROUTE_TABLE: document(ROUTE_TABLE, [config.routes]),
        LISTENERS: document(LISTENERS, [config.listener]),
    }
