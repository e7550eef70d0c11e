"""``waypost check``."""

from __future__ import annotations

import json

import pytest


def test_a_right_file_is_one_line(waypost, config):
    result = waypost("check", "--config", config)
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(f"{config}: ok, 2 models, 1 decisions, digest ")
    assert result.out.count("\n") == 1


def test_the_file_may_be_named_by_the_environment_or_be_where_one_looks(waypost, config, monkeypatch):
    monkeypatch.setenv("WAYPOST_CONFIG", str(config))
    assert waypost("check").code == 0
    monkeypatch.delenv("WAYPOST_CONFIG")
    config.rename(config.with_name("waypost.yaml"))
    assert waypost("check").out.startswith("waypost.yaml: ok")


def test_every_mistake_is_told_with_its_place(waypost, config):
    config.write_text(config.read_text().replace("default_model: small", "default_model: smal\n  decision: []"))
    result = waypost("check", "-c", config)
    assert (result.code, result.out) == (1, "")
    lines = result.err.splitlines()
    assert len(lines) >= 1
    assert all(line.startswith(f"waypost: {config}:") for line in lines)
    assert "did you mean" in result.err


def test_what_several_workers_cannot_share_is_a_mistake(waypost, config):
    config.write_text(config.read_text() + "cache: {}\n")
    assert waypost("check", "-c", config).code == 0
    result = waypost("check", "-c", config, "--workers", "2")
    assert result.code == 1
    assert "a cache in memory belongs to one process, and --workers is 2" in result.err


def test_json_for_pipelines(waypost, config):
    right = json.loads(waypost("check", "-c", config, "--json").out)
    assert right | {"digest": "x"} == {"config": str(config), "ok": True, "digest": "x", "warnings": []}

    config.write_text(config.read_text() + "modles: {}\n")
    result = waypost("check", "-c", config, "--json")
    wrong = json.loads(result.out)
    assert (result.code, result.err) == (1, "")
    assert wrong.keys() == {"config", "ok", "problems"}
    assert not wrong["ok"]
    assert "modles" in wrong["problems"][0]


def test_warnings_are_no_failure(waypost, config):
    config.write_text(config.read_text().replace("when: {keyword: proof}", "when: {language: fr}"))
    result = waypost("check", "-c", config)
    assert result.code == 0
    assert result.err.startswith(f"warning: {config}:")
    assert "no rule uses the keyword 'proof'" in result.err


@pytest.mark.parametrize("extra", [[], ["--envoy"]])
def test_the_demo_is_right_and_envoy_agrees(waypost, extra):
    result = waypost("check", "--demo", *extra)
    assert (result.code, result.err) == (0, "")


def test_what_is_no_file_is_wrong(waypost, nowhere):
    result = waypost("check", "-c", nowhere / "absent.yaml")
    assert result.code == 1
    assert result.err == f"waypost: {nowhere / 'absent.yaml'} does not exist\n"
