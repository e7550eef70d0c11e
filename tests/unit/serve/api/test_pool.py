"""The servers behind the router are told as Envoy finds them."""

from __future__ import annotations

import pytest

from waypost.config.units import HostPort
from waypost.errors import SetupError
from waypost.serve.envoy.hosts import Host


class Envoy:
    """Stands for the admin interface."""

    def __init__(self, **hosts: list[Host]) -> None:
        self._hosts = hosts

    async def hosts(self):
        if not self._hosts:
            raise SetupError("Envoy's admin interface does not answer /clusters")
        return self._hosts


def host(port: int = 1, **state) -> Host:
    counts = {"requests": 3, "errors": 2, "active": 1, "connect_failures": 0}
    plain = {"name": f"127.0.0.1:{port}", "ejected": False, "failed_check": False}
    return Host(HostPort("127.0.0.1", port), **(plain | counts | state))


async def told(client, envoy) -> dict:
    answer = await client(admin=lambda: envoy).get("/info/endpoints")
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize(
    ("state", "expected", "available"),
    [({}, "healthy", True), ({"ejected": True}, "ejected", False), ({"failed_check": True}, "failed_check", False)],
)
async def test_a_server_and_its_state(client, state, expected, available):
    found = await told(client, Envoy(model_a=[host(**state)]))
    a, b = found["models"]
    assert (found["source"], a["available"], b["available"]) == ("envoy", available, None)
    (endpoint,) = a["endpoints"]
    assert (endpoint["url"], endpoint["address"], endpoint["state"]) == ("http://127.0.0.1:1", "127.0.0.1:1", expected)
    assert (endpoint["requests"], endpoint["errors"], endpoint["active"]) == (3, 2, 1)
    assert (b["endpoints"][0]["state"], b["endpoints"][0]["address"]) == ("unknown", None)


async def test_without_an_envoy_of_ours(client):
    found = await told(client, None)
    assert found["source"] is None
    assert {each["state"] for model in found["models"] for each in model["endpoints"]} == {"unknown"}


async def test_an_envoy_that_does_not_answer(client):
    answer = await client(admin=lambda: Envoy()).get("/info/endpoints")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "no_envoy")


class TestEnvironment:
    @pytest.fixture
    def environ(self):
        return {"BACKEND": "http://127.0.0.1:1"}

    @pytest.fixture
    def path(self, write_config):
        return write_config("a", models={"a": {"endpoints": [{"url": "${BACKEND}"}]}})

    async def test_an_address_from_the_environment_is_told_as_it_is_written(self, client):
        found = await told(client, None)
        assert found["models"][0]["endpoints"][0]["url"] == "${BACKEND}"
