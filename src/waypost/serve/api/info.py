"""``/info`` and the lists: what is loaded, and what a client may name."""

from __future__ import annotations

import asyncio
import platform
import resource
import sys
from typing import Any, Final, Literal

from fastapi import APIRouter, Request

from waypost import __version__
from waypost.config.schema import Classifier
from waypost.config.show import shown
from waypost.engine import Engine
from waypost.inference.encoder import Encoder
from waypost.serve.api.model import Tell
from waypost.serve.api.services import EngineNow, Serving, StoreNow

__all__ = ["router"]

router = APIRouter(tags=["information"])

_PROBE: Final = "Which of the two roads through the mountains is the shorter one?"
Kind = Literal["domain", "jailbreak", "indirect", "pii"]
_KINDS: Final[tuple[Kind, ...]] = ("domain", "jailbreak", "indirect", "pii")
_WITH: Final[dict[Kind, Kind]] = {"indirect": "jailbreak"}
"""Heads without settings of their own, and what they are read and configured with."""
_UNIT: Final = 1 if sys.platform == "darwin" else 1024
"""Of ``ru_maxrss``."""


class LoadedModel(Tell):
    """A model that is at work, or would be if a rule needed it."""

    name: str
    type: Literal["encoder", "domain", "jailbreak", "indirect", "pii"]
    """``indirect``: the head beside that of ``jailbreak`` that tells an attack in a document from one by the user."""
    loaded: bool
    model_path: str
    """As the configuration names it: ``bundled``, a directory, or an id on the Hugging Face hub."""
    categories: list[str]
    """What it tells apart."""
    threshold: float | None = None
    bytes: int | None = None
    """Of its files; a head of the encoder is in the encoder's."""
    latency_ms: float | None = None
    """Computing time of one sentence, measured when this process first read it."""
    metadata: dict[str, Any]


class System(Tell):
    """What waypost runs on."""

    python_version: str
    architecture: str
    os: str
    memory_usage: int
    """Most bytes that the process ever held."""
    gpu_available: Literal[False] = False
    """waypost's own models run on the processor."""


class Models(Tell):
    """The models inside the router; those behind it are in ``/v1/models``."""

    models: list[LoadedModel]
    system: System


class ClassifierInfo(Tell):
    """The configuration in force, without anything secret."""

    status: Literal["active"] = "active"
    config: dict[str, Any]


class Model(Tell):
    """A name that a client may send."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: Literal["waypost"] = "waypost"


class ModelList(Tell):
    """OpenAI's list of models."""

    object: Literal["list"] = "list"
    data: list[Model]


class Overview(Tell):
    """Where to look."""

    service: Literal["waypost"] = "waypost"
    version: str
    endpoints: list[str]
    task_types: list[str]
    links: dict[str, str]


@router.get("/info/models")
async def models(engine: EngineNow, services: Serving) -> Models:
    """Tell what is loaded, where it came from, its size and its speed."""
    encoder = services.encoder()
    found = [await _encoder(engine, encoder)] if encoder else []
    return Models(models=[*found, *(_classifier(engine, encoder, kind) for kind in _KINDS)], system=_system())


async def _encoder(engine: Engine, encoder: Encoder) -> LoadedModel:
    manifest = encoder.manifest
    probe = await encoder.encode(_PROBE)
    return LoadedModel(
        name=manifest.name,
        type="encoder",
        loaded=True,
        model_path=engine.config.encoder.model,
        categories=[],
        bytes=manifest.bytes,
        latency_ms=round(probe.seconds * 1000, 3),
        metadata={
            "recipe": manifest.recipe,
            "dimensions": manifest.dimensions,
            "engine": manifest.engine,
            "sources": [dict(source) for source in manifest.sources],
        },
    )


def _classifier(engine: Engine, encoder: Encoder | None, kind: Kind) -> LoadedModel:
    whole = _WITH.get(kind, kind)
    settings: Classifier = getattr(engine.config.classifiers, whole)
    head, judge = (encoder.manifest.head(kind), encoder.manifest.head(whole)) if encoder else (None, None)
    return LoadedModel(
        name=kind,
        type=kind,
        loaded=head is not None or whole in engine.signals,
        model_path=settings.model,
        categories=list(head.labels) if head else [],
        threshold=settings.threshold if settings.threshold is not None or judge is None else judge.threshold,
        metadata={"temperature": head.temperature, "over_windows": head.over_windows} if head else {},
    )


def _system() -> System:
    return System(
        python_version=platform.python_version(),
        architecture=platform.machine(),
        os=platform.system(),
        memory_usage=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT,
    )


@router.get("/info/classifier")
async def classifier(store: StoreNow) -> ClassifierInfo:
    """Show the configuration in force, without anything secret."""
    return ClassifierInfo(config=await asyncio.to_thread(shown, store.in_force))  # the event loop is for the traffic


@router.get("/v1/models")
async def names(engine: EngineNow) -> ModelList:
    """List the names that a client may send to the router, the virtual ones first."""
    return ModelList(data=[Model(id=name, created=engine.created) for name in engine.model_names])


@router.get("/api/v1")
async def overview(request: Request) -> Overview:
    """List the endpoints."""
    paths = request.app.openapi()["paths"]
    return Overview(
        version=__version__,
        endpoints=[f"{method.upper()} {path}" for path, methods in paths.items() for method in methods],
        task_types=["intent", "pii", "security", "all"],
        links={"documentation": "/docs", "openapi": "/openapi.json", "health": "/health", "ready": "/ready"},
    )
