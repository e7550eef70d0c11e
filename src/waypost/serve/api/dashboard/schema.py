"""``/config/router/schema``: what may stand in the configuration, for the editor's help."""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import APIRouter

from waypost.config.json_schema import json_schema

__all__ = ["router"]

router = APIRouter(tags=["configuration"])


@router.get("/config/router/schema")
async def schema() -> dict[str, Any]:
    """Describe every key of ``waypost.yaml``, as JSON schema (draft 2020-12)."""
    return _schema()


@cache
def _schema() -> dict[str, Any]:
    return json_schema()
