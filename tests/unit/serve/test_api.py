"""The HTTP side doors."""

from __future__ import annotations

import httpx
import pytest

from waypost import __version__
from waypost.observe.metrics import Metrics
from waypost.serve.api import Status, api_app, metrics_app


async def get(app, path, method="GET") -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://waypost") as client:
        return await client.request(method, path)


def never() -> Status:
    raise AssertionError


async def test_health_asks_nobody():
    answer = await get(api_app(never), "/health")
    assert answer.status_code == 200
    assert answer.json() == {"status": "healthy", "service": "waypost", "version": __version__}


@pytest.mark.parametrize(
    ("checks", "error", "code", "status"),
    [
        ({"router": True, "envoy": True}, "", 200, "ready"),
        ({"router": True, "envoy": False}, "", 503, "not ready"),
        ({"router": True}, "waypost.yaml:1:1 wrong", 200, "ready"),  # the old configuration serves
    ],
)
async def test_ready_is_the_sum_of_its_checks(checks, error, code, status):
    answer = await get(api_app(lambda: Status(checks, "abc", error)), "/ready")
    assert answer.status_code == code
    assert answer.json() == {
        "status": status,
        "version": __version__,
        "config": "abc",
        "reload_error": error or None,
        "checks": checks,
        "guards": {},
    }


async def test_ready_tells_of_a_guard_that_fails():
    guards = {"jailbreak": "queue full", "pii": "ok"}
    answer = await get(
        api_app(lambda: Status({"router": True, "jailbreak_guard": False}, "abc", guards=guards)), "/ready"
    )
    assert (answer.status_code, answer.json()["guards"]) == (503, guards)


async def test_metrics_have_a_door_of_their_own():
    metrics = Metrics()
    metrics.begin()
    answer = await get(metrics_app(metrics), "/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "\nwaypost_requests_active 1.0\n" in answer.text
    assert (await get(api_app(never), "/metrics")).status_code == 404
    assert (await get(metrics_app(metrics), "/ready")).status_code == 404


@pytest.mark.parametrize("path", ["/health", "/ready"])
async def test_there_is_nothing_to_change_there(path):
    assert (await get(api_app(never), path, "POST")).status_code == 405
