"""A real Envoy tells which servers it sends requests to."""

from __future__ import annotations

import asyncio

CHAT = "/v1/chat/completions"


async def states(process, config, wanted):
    """Wait until the servers of the model are in the ``wanted`` states; returns them."""
    from waypost.serve.envoy.hosts import hosts_of

    async with asyncio.timeout(60):
        while True:
            found = await process.admin.hosts()
            hosts = [*(hosts_of(found, config, "m", each)[0] for each in config.models["m"].endpoints)]
            if [(each.ejected, each.failed_check) for each in hosts] == wanted:
                return hosts
            await asyncio.sleep(0.05)


async def test_a_server_that_fails_its_health_check(backend, make_config, envoy):
    good, gone = await backend(answer={}), await backend()
    await gone.stop()
    check = {"interval": "0.1s", "timeout": "1s", "unhealthy_threshold": 1}
    config = make_config({"m": [good.url, gone.url]}, m={"health_check": check})
    await states(await envoy(config), config, [(False, False), (False, True)])


async def test_a_server_that_fails_requests_is_ejected(backend, make_config, envoy, client):
    good, bad = await backend(), await backend(status=500)
    config = make_config({"m": [good.url, bad.url]}, envoy={"outlier_detection": {"consecutive_5xx": 2}})
    process = await envoy(config)
    async with client(config) as http:
        while len(bad.requests) < 2:
            await http.post(CHAT, json={"model": "m"})
    first, second = await states(process, config, [(False, False), (True, False)])
    assert (first.errors, second.errors) == (0, 2)
    assert (first.healthy, second.healthy) == (True, False)
    assert first.requests == len(good.requests)
