"""The encoder breaks: every pass fails, ends its thread, or never comes back. In this process, to be within reach."""

from __future__ import annotations

import json
import time

import httpx
import pytest
import pytest_asyncio

from waypost.config.load import loads
from waypost.inference.encoder import OnnxEncoder
from waypost.serve.router import Router

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def router(echo, settings, tmp_path_factory):
    """A router whose personal data guard must have looked (``on_error: block``), and which gives it half a second."""
    config = settings(await echo(), encoder={"deadline": "500ms", "queue": 4})
    config["guard"]["pii"] = {"action": "mask", "types": ["EMAIL_ADDRESS", "PERSON"], "on_error": "block"}
    router = Router(loads(json.dumps(config), "faults.yaml", {}), tmp_path_factory.mktemp("run"))
    await router.start()
    yield f"http://{config['listeners']['http']}", f"http://{config['listeners']['api']}"
    await router.drain()
    await router.kill()


def fails(*_):
    raise MemoryError


def ends(*_):
    raise SystemExit("a fault in native code")


def hangs(*_):
    time.sleep(2)
    raise RuntimeError("late")


@pytest.mark.parametrize("broken", [fails, ends, hangs])
async def test_a_guard_that_cannot_look_blocks_and_recovers(router, load, monkeypatch, broken):
    url, api = router
    async with load(url) as users:
        with monkeypatch.context() as patch:
            patch.setattr(OnnxEncoder, "_encode", broken)
            assert await users.since(20) == {"503 guard_unavailable"}
            async with httpx.AsyncClient(base_url=api, trust_env=False) as http:
                ready = await http.get("/ready")
            assert (ready.status_code, ready.json()["checks"]["pii_guard"]) == (503, False)
        await users.until_steady()
