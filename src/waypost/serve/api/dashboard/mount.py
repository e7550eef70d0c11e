"""Where the dashboard stands in the API's application."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI

from waypost.serve.api.dashboard import metrics, pages, playground, records, schema

__all__ = ["add_dashboard"]


def add_dashboard(app: FastAPI, read: Sequence[Any], operate: Sequence[Any]) -> None:
    """Add the pages, which anybody may load, and what they ask for, which needs the role that the dependencies check.

    A chat spends what the backends cost, so it needs ``operate``.
    """
    app.include_router(pages.router)
    app.mount("/web", pages.WebFiles(directory=pages.WEB))
    for router in (metrics.router, records.router):
        app.include_router(router, prefix="/api/v1", dependencies=list(read))
    app.include_router(schema.router, dependencies=list(read))
    app.include_router(playground.router, prefix="/api/v1", dependencies=list(operate))
