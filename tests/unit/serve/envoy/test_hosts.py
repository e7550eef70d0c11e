"""What Envoy's admin interface says of its clusters."""

from __future__ import annotations

import pytest

from waypost.config.schema import Config
from waypost.config.units import HostPort
from waypost.serve.envoy.hosts import hosts, hosts_of


def status(address="127.0.0.1", port=8000, name="", health=None, **counts):
    """As Envoy 1.40 writes it: a count of zero has no value."""
    stats = [{"name": each} | ({"value": str(value)} if value else {}) for each, value in counts.items()]
    return {
        "address": {"socket_address": {"address": address, "port_value": port}},
        "stats": stats,
        "health_status": {"eds_health_status": "HEALTHY", **(health or {})},
        "hostname": name,
    }


def told(**clusters):
    return {"cluster_statuses": [{"name": name, "host_statuses": members} for name, members in clusters.items()]}


def test_counts_and_what_envoy_leaves_out():
    ((found,),) = hosts(told(m=[status(rq_total=7, rq_error=2, rq_active=0, cx_connect_fail=1)])).values()
    assert (found.requests, found.errors, found.active, found.connect_failures) == (7, 2, 0, 1)
    assert (found.address, found.healthy) == (HostPort("127.0.0.1", 8000), True)
    assert hosts({"cluster_statuses": [{"name": "m"}]}) == {"m": ()}
    assert hosts({}) == {}


@pytest.mark.parametrize("flag", ["failed_outlier_check", "failed_active_health_check"])
def test_who_is_out_of_rotation(flag):
    ((found,),) = hosts(told(m=[status(health={flag: True})])).values()
    assert not found.healthy
    assert (found.ejected, found.failed_check) == (flag == "failed_outlier_check", flag == "failed_active_health_check")


NAMES = {
    "an address": ("http://10.0.0.1:8000", status("10.0.0.1", 8000, "10.0.0.1:8000")),
    "a name": ("http://gpu-1:8000", status("10.0.0.1", 8000, "gpu-1:8000")),
    "the usual port": ("http://gpu-1", status("10.0.0.1", 80, "gpu-1")),
    "https": ("https://api.example.com/v1", status("10.0.0.1", 443, "api.example.com")),
    "IPv6": ("http://[::1]:8000", status("::1", 8000, "[::1]:8000")),
}


@pytest.mark.parametrize(("url", "member"), NAMES.values(), ids=NAMES)
def test_an_endpoint_is_found_again(url, member):
    models = {"m": {"endpoints": [{"url": url}]}}
    config = Config.model_validate({"version": 1, "models": models, "routing": {"default_model": "m"}})
    cluster = "model_m"
    found = hosts(told(**{cluster: [member, status("10.0.0.9", 9999, "other:9999")]}))
    (host,) = hosts_of(found, config, "m", config.models["m"].endpoints[0])
    assert host.address.port == member["address"]["socket_address"]["port_value"]


def test_addresses_that_the_processor_names():
    models = {"m": {"endpoints": [{"url": "http://10.0.0.1:8000"}, {"url": "http://10.0.0.2:8000"}]}}
    config = Config.model_validate(
        {"version": 1, "envoy": {"upstream": "original_dst"}, "models": models, "routing": {"default_model": "m"}}
    )
    found = hosts(told(original_dst=[status("10.0.0.2", 8000)]))
    assert [len(hosts_of(found, config, "m", each)) for each in config.models["m"].endpoints] == [0, 1]
