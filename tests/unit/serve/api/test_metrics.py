"""The metrics, on a port of their own."""

from __future__ import annotations

import httpx

from waypost.observe.metrics import Metrics
from waypost.serve.api.metrics import metrics_app


async def get(path: str, metrics: Metrics) -> httpx.Response:
    transport = httpx.ASGITransport(metrics_app(metrics))
    async with httpx.AsyncClient(transport=transport, base_url="http://waypost") as client:
        return await client.get(path)


async def test_metrics_have_a_door_of_their_own(http):
    metrics = Metrics()
    metrics.begin()
    answer = await get("/metrics", metrics)
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "\nwaypost_requests_active 1.0\n" in answer.text
    assert (await http.get("/metrics")).status_code == 404
    assert (await get("/ready", metrics)).status_code == 404
