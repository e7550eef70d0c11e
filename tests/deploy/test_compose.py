"""compose.yaml: right by the specification, closed to the network, and made of what is there."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess

import pytest
import yaml

from waypost.serve import demo_llm
from waypost.serve.workers.messages import NOTICE_SECONDS


@pytest.fixture(scope="module")
def directory(root):
    return root / "deploy"


@pytest.fixture(scope="module")
def compose(directory):
    return yaml.safe_load((directory / "compose.yaml").read_text("utf-8"))


@pytest.fixture(scope="module")
def services(compose):
    return compose["services"]


def test_it_follows_the_specification(compose) -> None:
    spec = pytest.importorskip("compose_spec", reason="pip install compose-spec")
    parsed = spec.PyCompose.from_json(json.dumps(compose))
    parsed.validate()
    assert sorted(parsed.service_names()) == sorted(compose["services"])


def test_what_it_mounts_is_there(directory, compose, services) -> None:
    for service in services.values():
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            assert (directory / source).exists() if source.startswith(".") else source in compose["volumes"], volume
        if build := service.get("build"):
            dockerfile = directory / build["context"] / build["dockerfile"]
            assert f" AS {build['target']}\n" in dockerfile.read_text("utf-8")


def test_it_waits_for_services_that_tell_their_health(services) -> None:
    """The router's image brings its own check."""
    for service in services.values():
        for name, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in services[name] or services[name]["build"]["target"] == "router", name


def test_no_service_has_more_rights_than_it_needs(services) -> None:
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), f"{name} publishes {port} to the network"


def test_images_are_pinned(directory, services) -> None:
    beside = yaml.safe_load((directory / "observability" / "compose.yml").read_text("utf-8"))["services"]
    for name, service in services.items():
        if "build" not in service:
            assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+\.\d+(-[a-z]+)?", service["image"]), name
        assert service["image"] == beside.get(name, service)["image"], f"{name} is another in observability/compose.yml"


def test_secrets_are_files_that_a_script_writes(directory, compose, tmp_path) -> None:
    script = tmp_path / "secrets.sh"
    script.write_bytes((directory / "compose" / "secrets.sh").read_bytes())
    subprocess.run(["sh", script], check=True)
    written = {file.name: file.read_text() for file in (tmp_path / "secrets").iterdir()}
    assert {f"./compose/secrets/{name}" for name in written} == {each["file"] for each in compose["secrets"].values()}
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    assert re.fullmatch(r"redis://:\w{48}@redis:6379/0", written["redis_url"])
    subprocess.run(["sh", script], check=True)
    assert {file.name: file.read_text() for file in (tmp_path / "secrets").iterdir()} == written


def test_the_configuration_is_one_that_waypost_takes(directory, services, load_as_deployed) -> None:
    config = load_as_deployed((directory / "compose" / "waypost" / "waypost.yaml").read_text("utf-8")).config
    router = services["waypost"]
    published = {int(port.rpartition(":")[2]) for port in router["ports"]}
    assert published == {config.listeners.http.port, config.listeners.api.port}
    assert int(router["stop_grace_period"].removesuffix("s")) >= config.envoy.drain_timeout + NOTICE_SECONDS + 5
    assert {endpoint.host for model in config.models.values() for endpoint in model.endpoints} <= set(services)
    named = {config.cache.url_file, *(token.file for token in config.api.tokens)}
    assert {path.rpartition("/")[2] for path in named} == set(router["secrets"])


def test_prometheus_looks_where_the_router_is(directory, load_as_deployed) -> None:
    prometheus = yaml.safe_load((directory / "observability" / "prometheus" / "prometheus.yml").read_text("utf-8"))
    (target,) = prometheus["scrape_configs"][0]["static_configs"][0]["targets"]
    config = load_as_deployed((directory / "compose" / "waypost" / "waypost.yaml").read_text("utf-8")).config
    assert target == f"waypost:{config.listeners.metrics.port}"


def test_the_language_model_is_the_demo_s(services) -> None:
    assert services["llm"]["entrypoint"] == ["python", *demo_llm.command("0.0.0.0", 8600, 2, 256)]


def test_redis_asks_for_the_password_of_the_url(directory, tmp_path) -> None:
    """With a server that prints the configuration and the arguments that it is given."""
    (tmp_path / "redis_url").write_text("redis://:s3cret@redis:6379/0")
    server = tmp_path / "redis-server"
    server.write_text('#!/bin/sh\necho "$(cat "$1")"; shift; echo "$@"\n')
    server.chmod(0o755)
    script = (directory / "compose" / "redis.sh").read_text()
    script = script.replace("/run/secrets", str(tmp_path)).replace("/tmp/redis.conf", f"{tmp_path}/redis.conf")
    environ = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True, env=environ)
    told, arguments = done.stdout.splitlines()
    assert told == "requirepass s3cret"
    assert "s3cret" not in arguments
