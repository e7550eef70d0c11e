"""The page in the docs lists every endpoint, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "api.md"


async def test_endpoints(http):
    listed = set(re.findall(r"^\| (GET|PUT|POST) \| `([^`]+)`", PAGE.read_text("utf-8"), re.MULTILINE))
    paths = (await http.get("/openapi.json")).json()["paths"]
    assert listed == {(method.upper(), path) for path, methods in paths.items() for method in methods}
