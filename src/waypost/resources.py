"""What outlives a reload, as :mod:`waypost.build` composes what does not: the encoder, the cache's store, the tools."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from waypost.build import load_encoder
from waypost.config.schema import Config

if TYPE_CHECKING:
    from waypost.cache.store.base import Store
    from waypost.inference.encoder import Encoder
    from waypost.tools.selection import ToolSelector

__all__ = ["Resources", "load_resources"]


@dataclass(frozen=True, slots=True)
class Resources:
    """Loaded once, used by one engine after the other."""

    encoder: Encoder | None = None
    store: Store | None = None
    tools: ToolSelector | None = None

    async def close(self) -> None:
        """Free threads and files."""
        if self.store:
            await self.store.close()
        if self.encoder:
            self.encoder.close()


async def load_resources(config: Config, kept: Resources | None = None) -> Resources:
    """Load what ``config`` needs beyond what is ``kept`` of an earlier configuration.

    Raises SetupError, ConfigError for a wrong file of tools, and InferenceError when its tools cannot be embedded.
    """
    kept = kept or Resources()
    encoder = kept.encoder or await asyncio.to_thread(load_encoder, config)
    store = kept.store or await asyncio.to_thread(_open_store, config, encoder)
    return Resources(encoder, store, await _tools(config, encoder))


def _open_store(config: Config, encoder: Encoder | None) -> Store | None:
    if config.cache is None:
        return None
    from waypost.cache.store.opening import open_store

    return open_store(config.cache, encoder.manifest.dimensions) if encoder else open_store(config.cache)


async def _tools(config: Config, encoder: Encoder | None) -> ToolSelector | None:
    """Read the tools anew with every configuration; what was embedded before is found again in its file."""
    if config.tools is None or encoder is None:
        return None
    from waypost.tools.selection import ToolSelector

    database = Path(config.tools.database).expanduser() if config.tools.database else None  # noqa: ASYNC240 - reads an environment variable
    return await ToolSelector.load(encoder, database, deadline=config.encoder.deadline)
