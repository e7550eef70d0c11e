"""The metrics, and what probes ask, on a port of their own."""

from __future__ import annotations

import httpx
import pytest

from waypost.config.api import ApiConfig
from waypost.config.units import HostPort
from waypost.observe.metrics import Metrics
from waypost.serve.api.metrics import metrics_app
from waypost.serve.api.services import Services
from waypost.serve.api.status import Status


async def get(path: str, metrics: Metrics, checks: dict[str, bool] | None = None) -> httpx.Response:
    services = Services(
        status=lambda: Status(checks or {}, "0123456789ab"),
        engine_now=lambda: None,
        encoder=lambda: None,
        cache_counts=dict,
        store=lambda: None,
        admin=lambda: None,
        metrics=bytes,
        settings=ApiConfig(),
        address=HostPort("127.0.0.1", 8080),
    )
    transport = httpx.ASGITransport(metrics_app(metrics, services))
    async with httpx.AsyncClient(transport=transport, base_url="http://waypost") as client:
        return await client.get(path)


async def test_metrics_have_a_door_of_their_own(http):
    metrics = Metrics()
    metrics.begin()
    answer = await get("/metrics", metrics)
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "\nwaypost_requests_active 1.0\n" in answer.text
    assert (await http.get("/metrics")).status_code == 404
    assert (await get("/config/router", metrics)).status_code == 404


@pytest.mark.parametrize(("envoy", "status"), [(True, 200), (False, 503)])
async def test_a_probe_needs_no_other_door(envoy, status):
    answer = await get("/ready", Metrics(), {"envoy": envoy})
    assert (answer.status_code, answer.json()["checks"]) == (status, {"envoy": envoy})
    assert (await get("/health", Metrics())).json()["status"] == "healthy"
