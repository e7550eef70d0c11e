"""``/docs``: the OpenAPI document as a page of our own; nothing is loaded from anywhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fastapi import APIRouter
from fastapi.responses import FileResponse

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

_STATIC: Final = Path(__file__).with_name("static")
_TYPES: Final = {"docs.html": "text/html", "docs.css": "text/css", "docs.js": "text/javascript"}
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


@router.get("/docs")
async def page() -> FileResponse:
    """Send the page."""
    return _file("docs.html")


@router.get("/docs/docs.css")
async def style() -> FileResponse:
    """Send its style."""
    return _file("docs.css")


@router.get("/docs/docs.js")
async def script() -> FileResponse:
    """Send its script."""
    return _file("docs.js")


def _file(name: str) -> FileResponse:
    return FileResponse(_STATIC / name, media_type=_TYPES[name], headers=_HEADERS)
