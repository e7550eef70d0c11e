"""A real Envoy tells which servers it sends requests to."""

from __future__ import annotations

import asyncio

from waypost.serve.envoy import clusters

CHECK = {"interval": "0.1s", "timeout": "1s", "unhealthy_threshold": 1}
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
    config = make_config({"m": [good.url, gone.url]}, m={"health_check": CHECK})
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


async def test_one_healthy_server_of_three_gets_every_request(backend, make_config, envoy, client):
    good, *bad = await backend(), await backend(status=503), await backend(status=503)
    config = make_config({"m": [good.url, *(each.url for each in bad)]}, m={"health_check": CHECK})
    await states(await envoy(config), config, [(False, False), (False, True), (False, True)])
    http = client(config)
    assert [(await http.post(CHAT, json={"model": "m"})).status_code for _ in range(30)] == [200] * 30


async def test_servers_that_all_fail_their_check_are_asked_nevertheless(backend, make_config, envoy, client):
    def answer(request):
        server.status = 200 if request.path == CHAT else 503
        return {}

    server = await backend(answer=answer)
    config = make_config({"m": [server.url]}, m={"health_check": CHECK})
    await states(await envoy(config), config, [(False, True)])
    assert (await client(config).post(CHAT, json={"model": "m"})).status_code == 200


async def test_without_any_server_the_answer_says_so(backend, make_config, envoy, client):
    gone = [await backend() for _ in range(3)]
    for each in gone:
        await each.stop()
    config = make_config({"m": [each.url for each in gone]}, m={"health_check": CHECK})
    await states(await envoy(config), config, [(False, True)] * 3)
    answer = await client(config).post(CHAT, json={"model": "m"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "backend_unavailable")


async def test_only_failures_in_a_row_eject(backend, make_config, envoy, client, monkeypatch):
    """Of five servers one fails now and then: Envoy sees that it stands out, and leaves it where it is."""
    hasty = {"interval": "0.2s", "success_rate_request_volume": 1}
    usual = clusters._outliers
    monkeypatch.setattr(clusters, "_outliers", lambda wanted: {**usual(wanted), **hasty})

    def answer(_):
        shaky.status = 500 if shaky.status == 200 else 200
        return {}

    shaky, *others = [await backend() for _ in range(5)]
    shaky.answer = answer
    config = make_config({"m": [each.url for each in (shaky, *others)]})
    process, http = await envoy(config), client(config)
    detected, enforced = (
        f"cluster.model_m.outlier_detection.ejections_{name}" for name in ("detected_success_rate", "enforced_total")
    )
    found = {}
    async with asyncio.timeout(60):
        while not found.get(detected):
            await asyncio.gather(*(http.post(CHAT, json={"model": "m"}) for _ in range(20)))
            found = await process.admin.stats([detected, enforced])
    assert found[enforced] == 0
