"""The section ``tls``: what is said of files and certificates before anything listens."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from waypost.config.load import loads
from waypost.config.restart import needs_restart

DAY = timedelta(days=1)


@pytest.fixture
def ours(authority):
    return authority("ours")


def text(**tls) -> str:
    config = {"version": 1, "models": {"a": {"endpoints": [{"url": "http://h:1"}]}}, "routing": {"default_model": "a"}}
    return json.dumps(config | {"tls": tls})


@pytest.mark.parametrize("name", ["api", "metrics"])
def test_a_good_pair_is_nothing_to_speak_of(complaints, ours, name):
    server = ours.issue("server")
    assert complaints(text(**{name: server | {"client_ca": str(ours.ca)}})) == []


def test_each_fault_of_a_pair(complaints, ours):
    server, other = ours.issue("server"), ours.issue("other")
    faults = {
        "other.key is not the key of": server | {"key": other["key"]},
        "none.crt cannot be read: no such file": server | {"certificate": "none.crt"},
        "are no certificate and key in PEM": server | {"certificate": server["key"]},
        "server.key holds no certificates in PEM": server | {"client_ca": server["key"]},
    }
    for words, section in faults.items():
        (line,) = complaints(text(api=section))
        assert words in line
        assert "tls.api." in line


@pytest.mark.parametrize(
    ("dates", "words"),
    [
        ({"not_before": -2 * DAY, "not_after": -DAY}, "certificate has expired"),
        ({"not_before": DAY}, "certificate is not yet valid"),
    ],
)
def test_a_date_is_a_warning(complaints, ours, dates, words):
    now = datetime.now(UTC)
    server = ours.issue("server", **{name: now + distance for name, distance in dates.items()})
    (line,) = complaints(text(api=server))
    assert line.startswith("warning: f:")
    assert words in line


def test_a_key_that_all_may_read_is_a_warning(complaints, ours):
    server = ours.issue("server")
    Path(server["key"]).chmod(0o644)
    (line,) = complaints(text(metrics=server))
    assert line.startswith("warning: f:1:")
    assert "tls.metrics.key" in line
    assert "chmod o-r" in line


def test_the_own_envoy_must_know_the_processor(complaints, authority, ours):
    server, foreign = ours.issue("server"), authority("foreign")
    envoy = {"ca": str(ours.ca), **ours.issue("envoy")}
    clients = {"client_ca": str(ours.ca)}
    assert complaints(text(extproc=server | {"envoy": {"ca": str(ours.ca)}})) == []
    assert complaints(text(extproc=server | clients | {"envoy": envoy})) == []
    faults = {
        "waypost's own Envoy needs envoy.ca": server,
        "is not the authority of": server | {"envoy": {"ca": str(foreign.ca)}},
        "tls.extproc.client_ca: ": server | {"client_ca": str(foreign.ca), "envoy": envoy},
        "name envoy.certificate and envoy.key": server | clients | {"envoy": {"ca": str(ours.ca)}},
        "certificate and key belong together": server | {"envoy": {"ca": "x", "key": "y"}},
    }
    for words, section in faults.items():
        (line,) = complaints(text(extproc=section))
        assert words in line


def test_an_envoy_of_ones_own_needs_nothing_of_that(complaints, ours):
    server = ours.issue("server")
    config = json.loads(text(extproc=server)) | {"envoy": {"enabled": False}}
    assert complaints(json.dumps(config)) == []
    config["tls"]["extproc"]["envoy"] = {"ca": str(ours.ca)}
    (line,) = complaints(json.dumps(config))
    assert "tls.extproc.envoy: no effect" in line


def test_client_certificates_protect_an_open_processor(complaints, ours):
    server = ours.issue("server")
    config = {"envoy": {"enabled": False}, "listeners": {"extproc": "0.0.0.0:50051"}}
    (line,) = complaints(json.dumps(json.loads(text(extproc=server)) | config))
    assert "is open to other machines" in line
    asking = json.loads(text(extproc=server | {"client_ca": str(ours.ca)})) | config
    assert complaints(json.dumps(asking)) == []


def test_other_files_need_a_restart(ours):
    one, two = (loads(text(api=ours.issue(name)), "f", {}).config for name in ("one", "two"))
    assert needs_restart(one, two) == ("tls.api.certificate", "tls.api.key")
