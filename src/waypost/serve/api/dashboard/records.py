"""``/api/v1/records``: the last decision records, newest first."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import Field

from waypost.serve.api.model import Tell
from waypost.serve.api.services import StoreNow

__all__ = ["router"]

router = APIRouter(tags=["information"])

_READ: Final = 2**20
"""Bytes at the end of a file that are looked at."""

Limit = Annotated[int, Query(ge=1, le=500)]


class RecentRecords(Tell):
    """What was recorded of the last requests."""

    path: str | None
    """Of the file; null where ``observability.records`` is absent."""
    records: list[dict[str, Any]] = Field([])
    """As they stand in the file, the newest first. None has any content of a request."""


@router.get("/records")
async def records(store: StoreNow, limit: Limit = 100) -> RecentRecords:
    """Show the last decision records, at most ``limit`` of them, from the present file and the one before."""
    settings = store.in_force.config.observability.records
    if settings is None:
        return RecentRecords(path=None)
    return await asyncio.to_thread(_recent, settings.path, limit)


def _recent(name: str, limit: int) -> RecentRecords:
    path = Path(name).expanduser()
    return RecentRecords(path=str(path), records=_last(path, limit))


def _last(path: Path, limit: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for file in (path, path.with_name(f"{path.name}.1")):
        found += [line for line in map(_parsed, _lines_backwards(file)) if "of" in line]
        if len(found) >= limit:
            break
    return found[:limit]


def _lines_backwards(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _READ))
            lines = file.read(_READ).splitlines()
    except FileNotFoundError:
        return
    yield from reversed(lines[1:] if size > _READ else lines)  # where the reading began, a line may lack its head


def _parsed(line: bytes) -> dict[str, Any]:
    """Read one line; empty for the last one while it is being written."""
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
