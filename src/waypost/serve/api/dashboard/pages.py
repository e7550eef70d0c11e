"""The static pages at ``/``; nothing in them is loaded from anywhere else."""

from __future__ import annotations

from os import PathLike, stat_result
from pathlib import Path
from typing import Final

from fastapi import APIRouter
from fastapi.responses import FileResponse
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

import waypost

__all__ = ["WEB", "WebFiles", "router"]

router = APIRouter(include_in_schema=False)

WEB: Final = Path(waypost.__file__).with_name("web")
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'; trusted-types 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",  # asked for again, and answered 304, so that an upgrade never mixes two versions
}


@router.head("/")
@router.get("/")
async def index() -> FileResponse:
    """Send the page that everything else is loaded by."""
    return FileResponse(WEB / "index.html", headers=_HEADERS)


class WebFiles(StaticFiles):
    """Scripts, styles and texts, with the page's own headers."""

    def file_response(
        self, full_path: str | PathLike[str], stat_result: stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """Answer as any static file server does."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers.update(_HEADERS)
        return response
