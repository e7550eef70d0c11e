"""The configuration is written badly while requests come in."""

from __future__ import annotations

import json

import pytest
import pytest_asyncio

pytestmark = pytest.mark.asyncio(loop_scope="session")

REFUSED = "reload refused, the old configuration stays"


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=[1, 2], ids=["alone", "workers"])
async def router(request, serve, echo, settings):
    """One router for all tests, without and with workers of its own."""
    return await serve(settings(await echo()), f"--workers={request.param}")


@pytest.fixture
def whole(router) -> str:
    """Another configuration, as text."""
    name = f"family-{len(router.said)}"
    families = {name: {"type": "reasoning_effort", "parameter": "effort"}}
    return json.dumps(router.config | {"reasoning_families": families})


async def test_a_half_written_file_changes_nothing(router, load, whole):
    router.said.clear()
    async with load(router.url) as users:
        users.forget()
        router.path.write_text(whole[: len(whole) // 2])
        await router.says(REFUSED)
        assert (await router.ready())[1]["reload_error"]
        await users.since()
        router.path.write_text(whole)
        await router.says("configuration reloaded")
        await users.until_steady()
        assert users.failures == set()
    assert not (await router.ready())[1].get("reload_error")


async def test_a_file_that_vanishes_changes_nothing(router, load, whole):
    router.said.clear()
    async with load(router.url) as users:
        users.forget()
        router.path.unlink()
        await router.says(REFUSED)
        await users.since()
        router.path.write_text(whole)
        await router.says("configuration reloaded")
        await users.until_steady()
        assert users.failures == set()
