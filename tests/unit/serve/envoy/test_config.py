"""The generated configuration: what the dicts say, and that the real Envoy accepts every kind of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from waypost.config.schema import Config
from waypost.config.units import HostPort
from waypost.errors import ConfigError, SetupError
from waypost.serve.envoy.config import EnvoyConfig, render
from waypost.serve.envoy.files import prepare, validate
from waypost.serve.envoy.layout import Layout
from waypost.serve.envoy.names import cluster_name

PROCESSORS = [HostPort("127.0.0.1", 50051)]


def config(models: dict[str, Any], **more: Any) -> Config:
    pool = {name: model if isinstance(model, dict) else {"endpoints": model} for name, model in models.items()}
    default = {"default_model": next(iter(models))}
    return Config.model_validate({"version": 1, "models": pool, "routing": default, **more})


def rendered(configuration: Config, processors=PROCESSORS) -> EnvoyConfig:
    return render(configuration, processors, Layout(Path("/run/waypost")))


def only(*urls: str) -> list[dict[str, str]]:
    return [{"url": url} for url in urls]


def cluster(found: EnvoyConfig, name: str) -> dict[str, Any]:
    (match,) = [block for block in found.clusters if block["name"] == name]
    return match


def model_routes(found: EnvoyConfig) -> list[dict[str, Any]]:
    return [route for route in found.routes["virtual_hosts"][0]["routes"] if "route" in route]


def to_models(found: EnvoyConfig) -> list[str]:
    """The clusters of the routes, in their order."""
    return [route["route"]["cluster"] for route in model_routes(found)]


def manager(found: EnvoyConfig) -> dict[str, Any]:
    return found.listener["filter_chains"][0]["filters"][0]["typed_config"]


MATRIX = {
    "plain": config({"a": only("http://127.0.0.1:8000")}),
    "names": config({"a": only("http://vllm.internal:8000", "http://10.0.0.1:8000")}),
    "weights": config({"a": [{"url": "http://10.0.0.1:1", "weight": 1000}, {"url": "http://10.0.0.2:1"}]}),
    "path": config({"meta-llama/Llama-3.1:8b": only("http://10.0.0.1/openai")}),
    "https": config({"a": only("https://api.openai.com/v1", "https://eu.api.openai.com/v1")}),
    "https ip": config({"a": only("https://10.0.0.1:8443")}),
    "ipv6": config({"a": only("http://[::1]:8000")}, listeners={"http": "[::]:8801"}),
    "localhost": config({"a": only("http://localhost:8000")}, listeners={"http": "localhost:8801"}),
    "health": config({"a": {"endpoints": only("https://h/x"), "health_check": {"path": "/health"}}}),
    "original_dst": config(
        {"a": only("http://10.0.0.1:8000/x"), "b": only("https://h")}, envoy={"upstream": "original_dst"}
    ),
    "full duplex": config({"a": only("http://h")}, envoy={"request_body": "full_duplex_streamed"}),
    "pass": config({"a": only("http://h")}, envoy={"on_processor_failure": "pass", "concurrency": 2}),
    "bare": config({"a": only("http://h")}, envoy={"outlier_detection": None, "retries": 0}),
}


@pytest.mark.parametrize("name", MATRIX)
def test_envoy_accepts_it(name, tmp_path):
    layout = prepare(tmp_path)
    validate(layout, render(MATRIX[name], PROCESSORS, layout).standalone)
    assert layout.standalone.is_file()


def test_envoys_refusal_is_quoted(tmp_path):
    with pytest.raises(ConfigError, match=r"Envoy refuses it: .*no_such_field"):
        validate(prepare(tmp_path), {"no_such_field": 1})


@pytest.mark.parametrize("name", MATRIX)
def test_rendering_is_deterministic(name):
    assert rendered(MATRIX[name]) == rendered(MATRIX[name])


@pytest.mark.parametrize(
    ("name", "url", "expected"),
    [
        ("math-7b", "http://h", "model_math-7b"),
        ("gpt-4.1", "http://h", "model_gpt-4_2e1"),
        ("a/b", "http://h", "model_a_2fb"),
        ("a_b", "http://h", "model_a_5fb"),
        ("a", "http://h/b", "model_a__2fb"),
        ("a", "http://h/v1", "model_a"),
    ],
)
def test_cluster_names_are_plain_and_unique(name, url, expected):
    assert cluster_name(name, config({name: only(url)}).models[name]) == expected


def test_the_route_and_the_cluster_change_together():
    before, after = (rendered(config({"a": only(url)})) for url in ("http://h", "http://h/openai"))
    assert to_models(before)[0] == "model_a"
    assert {block["name"] for block in before.clusters} & {block["name"] for block in after.clusters} == {"extproc"}


def test_internal_headers_are_removed_and_debug_is_not():
    (extension,) = manager(rendered(MATRIX["plain"]))["early_header_mutation_extensions"]
    removed = {mutation["remove"] for mutation in extension["typed_config"]["mutations"]}
    assert {"x-selected-model", "x-gateway-destination-endpoint", "x-vsr-selected-decision"} < removed
    assert {"x-category", "x-confidence"} < removed
    assert "x-vsr-debug" not in removed


@pytest.mark.parametrize(
    ("name", "request_body", "response_body"),
    [("plain", "BUFFERED", "NONE"), ("full duplex", "FULL_DUPLEX_STREAMED", "STREAMED")],
)
def test_the_processor_sees_what_the_mode_says(name, request_body, response_body):
    processor = manager(rendered(MATRIX[name]))["http_filters"][0]["typed_config"]
    mode = processor["processing_mode"]
    assert (mode["request_body_mode"], mode["response_body_mode"]) == (request_body, response_body)
    assert mode["response_header_mode"] == "SEND"
    assert processor["failure_mode_allow"] is False


@pytest.mark.parametrize(("cache", "patience"), [(None, "5.000s"), ({}, "15.000s"), ({"wait": "30s"}, "35.000s")])
def test_envoy_waits_for_whoever_waits_for_an_identical_request(cache, patience):
    found = manager(rendered(config({"a": only("http://h")}, cache=cache)))
    assert found["http_filters"][0]["typed_config"]["message_timeout"] == patience


@pytest.mark.parametrize(("silence", "expected"), [("0s", "0.000s"), ("1s", "31.000s"), ("600s", "630.000s")])
def test_silence_without_a_limit_has_none(silence, expected):
    found = rendered(config({"a": only("http://h")}, envoy={"request_timeout": silence}))
    assert manager(found)["stream_idle_timeout"] == expected
    (policy,) = {route["route"]["retry_policy"]["per_try_idle_timeout"] for route in model_routes(found)}
    assert float(policy.removesuffix("s")) == float(silence.removesuffix("s"))


@pytest.mark.parametrize(("allowed", "held"), [("64KiB", 64 * 2**10), ("50MiB", 2**20)])
def test_what_is_held_towards_a_client_does_not_grow_with_the_body_limit(allowed, held):
    found = rendered(config({"a": only("http://h")}, envoy={"max_request_body": allowed}))
    assert found.listener["per_connection_buffer_limit_bytes"] == held


def test_several_processors_share_the_work():
    found = cluster(rendered(MATRIX["plain"], [HostPort("0.0.0.0", 1), HostPort("::", 2)]), "extproc")
    hosts = [
        host["endpoint"]["address"]["socket_address"]
        for host in found["load_assignment"]["endpoints"][0]["lb_endpoints"]
    ]
    assert hosts == [{"address": "127.0.0.1", "port_value": 1}, {"address": "::1", "port_value": 2}]


def test_original_dst_keeps_named_clusters_for_tls_and_names():
    found = rendered(MATRIX["original_dst"])
    assert to_models(found) == ["original_dst", "model_a__2fx", "model_b", "model_a__2fx"]


def test_https_without_certificates_is_a_setup_error(monkeypatch, tmp_path):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    monkeypatch.setattr("waypost.serve.envoy.trust._USUAL", ())
    with pytest.raises(SetupError, match="install ca-certificates, or set SSL_CERT_FILE"):
        rendered(MATRIX["https"])
    assert rendered(MATRIX["plain"])


def test_the_certificate_bundle_can_be_chosen(monkeypatch, tmp_path):
    bundle = tmp_path / "ca.pem"
    bundle.touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    context = cluster(rendered(MATRIX["https"]), "model_a")["transport_socket"]["typed_config"]["common_tls_context"]
    assert context["validation_context"]["trusted_ca"] == {"filename": str(bundle)}
