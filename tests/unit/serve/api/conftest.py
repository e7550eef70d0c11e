"""The API over an engine of keywords and an encoder that knows a few words."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from waypost.build import build_engine
from waypost.config.api import ApiConfig
from waypost.config.load import Loaded, load
from waypost.config.units import HostPort
from waypost.inference.encoder import Encoding
from waypost.inference.manifest import FileDigest, HeadFacts, Manifest
from waypost.inference.tags import Span
from waypost.serve.api.app import api_app
from waypost.serve.api.services import Services
from waypost.serve.api.status import Status
from waypost.serve.api.store import ConfigStore
from waypost.serve.http import HttpServer

MANIFEST = Manifest(
    recipe="r" * 12,
    dimensions=4,
    features=0,
    feature_layers=(),
    prefix="query: ",
    pooling="mean",
    engine="onnxruntime",
    sources=({"name": "somewhere", "licence": "MIT"},),
    files={"encoder.onnx": FileDigest(1000, "0" * 64)},
    heads=(
        HeadFacts("domain", ("law", "math", "other"), "mean", threshold=0.5),
        HeadFacts("jailbreak", ("benign", "jailbreak", "harmful"), "most", threshold=0.6),
        HeadFacts("indirect", ("direct", "indirect"), "worst"),
        HeadFacts("pii", ("O", "B-PERSON", "I-PERSON"), "spans", threshold=0.5),
    ),
)


class WordEncoder:
    """Subjects, attacks and names by the words in a text."""

    manifest = MANIFEST

    def __init__(self) -> None:
        self.read: list[str] = []
        self.failure: Exception | None = None

    async def encode(self, text: str, *, until: float | None = None) -> Encoding:
        del until
        self.read.append(text)
        if self.failure:
            raise self.failure
        vector = np.ones(4, np.float32)
        vector[len(text) % 4] += len(text) % 7
        return Encoding(
            embedding=vector / np.linalg.norm(vector),
            features=np.empty(0, np.float32),
            tokens=len(text.split()),
            windows=1,
            skipped_tokens=0,
            seconds=0.001,
            probabilities=_probabilities(text),
            spans=tuple(Span(name.start(), name.end(), "PERSON", 0.9) for name in re.finditer("Alice|Bob", text)),
        )

    def close(self) -> None:
        pass


def _probabilities(text: str) -> Mapping[str, Mapping[str, float]]:
    law, math = ("law" in text) * 0.9, ("math" in text) * 0.8
    attack, harm = ("ignore" in text) * 0.97, ("bomb" in text) * 0.95
    return {
        "domain": {"law": law, "math": math, "other": 1 - max(law, math)},
        "jailbreak": {"benign": 1 - max(attack, harm), "jailbreak": attack, "harmful": harm},
        "indirect": {"direct": 0.9, "indirect": 0.1},
    }


class Followed:
    """Stands for the running router: follows its file without Envoy, unless it was told to refuse."""

    def __init__(self, path: Path, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.loaded: Loaded = load(path, environ)
        self.error = ""
        self.refusal = ""
        self.before: Callable[[], object] = lambda: None
        """What somebody else does just before the file is read."""

    async def reload(self) -> None:
        self.before()
        new = load(self.loaded.path, self.environ)
        self.error = self.refusal if new.digest != self.loaded.digest else ""
        if not self.error:
            self.loaded = new


@pytest.fixture
def encoder() -> WordEncoder:
    return WordEncoder()


@pytest.fixture
def path(write_config: Callable[..., Path]) -> Path:
    return write_config("a", "b")


@pytest.fixture
def environ() -> dict[str, str]:
    return {}


@pytest.fixture
def followed(path: Path, environ: dict[str, str]) -> Followed:
    return Followed(path, environ)


@pytest.fixture
def services(followed: Followed, encoder: WordEncoder, environ: dict[str, str]) -> Callable[..., Services]:
    """What the API needs; any of it may be another: ``services(encoder=lambda: None)``."""
    store = ConfigStore(followed, followed.reload, environ)
    engine = build_engine(followed.loaded.config, environ, encoder=encoder)

    def build(*, address: str = "127.0.0.1", settings: dict[str, Any] | None = None, **others: Any) -> Services:
        parts: dict[str, Any] = {
            "status": lambda: Status({"router": True}, followed.loaded.digest),
            "engine_now": lambda: engine,
            "encoder": lambda: encoder,
            "cache_counts": dict,
            "store": lambda: store,
            "admin": lambda: None,
            "metrics": bytes,
        }
        api = ApiConfig.model_validate(settings or {})
        return Services(**(parts | others), settings=api, address=HostPort(address, 8080))

    return build


@pytest.fixture
def client(services: Callable[..., Services]) -> Callable[..., httpx.AsyncClient]:
    """A client of an API of one's own: ``client(settings={…}, environ={…}, base_url=…)``."""

    def make(*, environ: Mapping[str, str] | None = None, base_url: str = "http://127.0.0.1:8080", **others: Any):
        app = api_app(services(**others), environ or {})
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=base_url)

    return make


@pytest.fixture
async def served(services: Callable[..., Services], unused_tcp_port: int) -> AsyncIterator[Callable[..., Any]]:
    """A client of an API on a port: ``http = await served()``, with what ``services`` takes."""
    async with AsyncExitStack() as stack:

        async def start(**others: Any) -> httpx.AsyncClient:
            server = HttpServer(api_app(services(**others), {}), HostPort("127.0.0.1", unused_tcp_port))
            await server.start()
            stack.push_async_callback(server.stop)
            url = f"http://127.0.0.1:{unused_tcp_port}"
            return await stack.enter_async_context(httpx.AsyncClient(base_url=url, trust_env=False))

        yield start


@pytest.fixture
def http(client: Callable[..., httpx.AsyncClient]) -> httpx.AsyncClient:
    """A client of an open API on the loopback."""
    return client()
