"""Which endpoints take requests, as metrics tell it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from waypost.config.load import Loaded, loads
from waypost.config.units import HostPort
from waypost.errors import SetupError
from waypost.observe.metrics import Metrics
from waypost.serve import endpoints
from waypost.serve.envoy.hosts import Host

NAMED, OTHER, ADDRESS = "http://${NODE}:8000", "http://gpu-2:8000", "http://10.0.0.1:8000"


def loaded(upstream: str, *urls: str) -> Loaded:
    config = {
        "version": 1,
        "envoy": {"upstream": upstream},
        "models": {"m": {"endpoints": [{"url": url} for url in urls]}},
        "routing": {"default_model": "m"},
    }
    return loads(json.dumps(config), "f", {"NODE": "gpu-1"})


def host(name: str, **state: bool) -> Host:
    fine = Host(
        address=HostPort("10.0.0.1", 8000),
        name=name,
        ejected=False,
        failed_check=False,
        requests=0,
        errors=0,
        active=0,
        connect_failures=0,
    )
    return replace(fine, **state)


@pytest.mark.parametrize("state", ["ejected", "failed_check"])
def test_one_out_of_rotation_is_not_healthy(state):
    found = {"model_m": (host("gpu-1:8000"), host("gpu-2:8000", **{state: True}))}
    expected = {("m", NAMED): True, ("m", OTHER): False}
    assert endpoints.healthy(found, loaded("clusters", NAMED, OTHER)) == expected


def test_one_address_of_a_name_is_enough_and_none_is_not():
    several = {"model_m": (host("gpu-1:8000", ejected=True), host("gpu-1:8000"))}
    assert endpoints.healthy(several, loaded("clusters", NAMED)) == {("m", NAMED): True}
    assert endpoints.healthy({}, loaded("clusters", NAMED)) == {("m", NAMED): False}


def test_an_address_that_nobody_asked_for_yet_is_unknown():
    assert endpoints.healthy({}, loaded("original_dst", ADDRESS)) == {}


class Admin:
    """Gives one answer after another, and then none."""

    def __init__(self, *answers) -> None:
        self._answers = list(answers)

    async def hosts(self):
        if not self._answers:
            raise SetupError("Envoy does not answer")
        return self._answers.pop(0)


async def test_metrics_follow_and_forget(monkeypatch):
    monkeypatch.setattr(endpoints, "_EVERY", 0)
    admin = Admin({"model_m": (host("gpu-1:8000"),)}, {"model_m": (host("gpu-1:8000", ejected=True),)})
    metrics, seen, over = Metrics(), [], asyncio.Event()

    def tell(health) -> None:
        metrics.endpoints.tell(health)
        labels = {"model": "m", "endpoint": NAMED}
        seen.append(metrics.registry.get_sample_value("waypost_model_endpoint_healthy", labels))
        if not health:
            over.set()

    watching = asyncio.create_task(endpoints.watch(lambda: admin, lambda: loaded("clusters", NAMED), tell))
    await asyncio.wait_for(over.wait(), 30)
    watching.cancel()
    assert seen[:3] == [1, 0, None]
