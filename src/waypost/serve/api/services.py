"""What the endpoints need of the router around them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from waypost.config.api import ApiConfig
from waypost.config.units import HostPort
from waypost.engine import Engine
from waypost.inference.encoder import Encoder
from waypost.serve.api.errors import Unavailable
from waypost.serve.api.status import Status
from waypost.serve.api.store import ConfigStore
from waypost.serve.envoy.admin import Admin

__all__ = ["EncoderNow", "EngineNow", "Services", "Serving", "StoreNow"]


@dataclass(frozen=True, slots=True)
class Services:
    """Everything is asked for anew with each request: a reload exchanges the engine, a start may still go on."""

    status: Callable[[], Status]
    engine_now: Callable[[], Engine | None]
    """None until the router has started."""
    encoder: Callable[[], Encoder | None]
    """None until the router has started, and where no rule needs one."""
    cache_counts: Callable[[], Mapping[tuple[str, str], int]]
    """What came of asking the cache, in all processes; see :attr:`Cache.counts`."""
    store: Callable[[], ConfigStore | None]
    """None until the router has started."""
    admin: Callable[[], Admin | None]
    """Of our Envoy; None until it runs, and where none is ours."""
    metrics: Callable[[], bytes]
    """The text exposition of all processes; see :meth:`Metrics.render`."""
    settings: ApiConfig
    address: HostPort
    """Where the API listens."""


async def _serving(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


Serving = Annotated[Services, Depends(_serving)]


async def _engine(services: Serving) -> Engine:
    if engine := services.engine_now():
        return engine
    raise Unavailable("waypost is still starting; ask again when /ready says so.", code="starting")


async def _encoder(services: Serving, _: EngineNow) -> Encoder:
    if encoder := services.encoder():
        return encoder
    raise Unavailable(
        "The encoder is not loaded: no rule and no guard of the configuration needs it.", code="encoder_not_loaded"
    )


async def _store(services: Serving) -> ConfigStore:
    if store := services.store():
        return store
    raise Unavailable("waypost is still starting; ask again when /ready says so.", code="starting")


EngineNow = Annotated[Engine, Depends(_engine)]
EncoderNow = Annotated[Encoder, Depends(_encoder)]
StoreNow = Annotated[ConfigStore, Depends(_store)]
