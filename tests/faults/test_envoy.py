"""Envoy is killed."""

from __future__ import annotations

import os
import signal

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="session")

BROKEN = {"ConnectError", "ReadError", "RemoteProtocolError"}
"""What a client sees of a connection that is cut, or of a port where nobody listens."""


async def test_a_killed_envoy_is_started_again(serve, echo, settings, load):
    server = await echo()
    router = await serve(settings(server))
    async with load(router.url) as users:
        users.forget()
        (envoy,) = router.children("envoy")
        os.kill(envoy, signal.SIGKILL)
        await router.says("Envoy ended with code -9 and is started again")
        await users.until_steady()
        assert users.failures <= BROKEN
    assert router.children("envoy") not in ([], [envoy])
