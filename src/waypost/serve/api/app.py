"""The API as one application."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from waypost import __version__
from waypost.serve.api import cache, config, docs, embeddings, evaluate, health, info, pool
from waypost.serve.api.access import LocalOnly, require, tokens_from
from waypost.serve.api.classify import batch, combined, intent, pii, security
from waypost.serve.api.dashboard.mount import add_dashboard
from waypost.serve.api.errors import RESPONSES, handle_errors
from waypost.serve.api.limits import BodyLimit, RateLimit
from waypost.serve.api.services import Services
from waypost.serve.api.trial import Trials

__all__ = ["api_app"]

_API = "/api/v1"
_CLASSIFY = (intent.router, pii.router, security.router, combined.router, batch.router)


def api_app(services: Services, environ: Mapping[str, str]) -> FastAPI:
    """Assemble the API. Raises SetupError when others could reach it without a token."""
    tokens = tokens_from(services.settings, services.address, environ)
    app = FastAPI(
        title="waypost",
        summary="Ask the router what it sees and does, and change its configuration.",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        middleware=_middleware(services),
        responses=RESPONSES,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    app.state.services = services
    handle_errors(app)
    app.include_router(health.router)
    app.include_router(docs.router)
    read, operate = require(tokens, "read"), require(tokens, "operate")
    app.state.trials = Trials(environ, operate)
    for router in _CLASSIFY:
        app.include_router(router, prefix=f"{_API}/classify", tags=["classification"], dependencies=read)
    for router in (evaluate.router, embeddings.router, cache.reading):
        app.include_router(router, prefix=_API, dependencies=read)
    app.include_router(cache.changing, prefix=_API, dependencies=operate)
    for router in (info.router, pool.router, config.reading):
        app.include_router(router, dependencies=read)
    app.include_router(config.changing, dependencies=operate)
    add_dashboard(app, read, operate)
    return app


def _middleware(services: Services) -> list[Middleware]:
    """What a request meets before anything reads it, in this order."""
    settings = services.settings
    cors = Middleware(
        CORSMiddleware, allow_origins=settings.origins, allow_methods=["*"], allow_headers=["authorization"]
    )
    return [
        Middleware(LocalOnly, address=services.address, origins=settings.origins),
        *([cors] if settings.origins else []),
        Middleware(RateLimit, per_minute=settings.requests_per_minute),
        Middleware(BodyLimit, max_body=settings.max_body),
    ]
