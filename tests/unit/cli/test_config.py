"""``waypost config schema | init | show``."""

from __future__ import annotations

import json

import pytest
import yaml


def test_the_schema_is_json_and_nothing_else(waypost):
    result = waypost("config", "schema")
    assert (result.code, result.err) == (0, "")
    assert {"version", "models", "routing"} <= json.loads(result.out)["properties"].keys()


@pytest.mark.parametrize("demo", [[], ["--demo"]])
def test_init_writes_a_file_that_is_right(waypost, nowhere, demo):
    result = waypost("config", "init", *demo)
    assert (result.code, result.out) == (0, "")
    assert "wrote waypost.yaml" in result.err
    assert ("demo" in yaml.safe_load((nowhere / "waypost.yaml").read_text("utf-8"))) == bool(demo)
    assert waypost("check").code == 0


def test_init_never_overwrites_unasked(waypost, config):
    before = config.read_text()
    result = waypost("config", "init", config)
    assert (result.code, result.out) == (3, "")
    assert "use --force" in result.err
    assert config.read_text() == before
    assert waypost("config", "init", config, "--force").code == 0
    assert config.read_text() != before


def test_init_where_nobody_can_write_is_one_line(waypost, nowhere):
    result = waypost("config", "init", nowhere / "absent" / "waypost.yaml")
    assert (result.code, result.out) == (3, "")
    assert result.err == f"waypost: cannot write {nowhere}/absent/waypost.yaml: No such file or directory\n"


def test_show_fills_in_defaults_and_hides_secrets(waypost, config, monkeypatch):
    monkeypatch.setenv("MY_MODEL", "org/Secret-4B")
    config.write_text(config.read_text().replace("org/Small-4B", "'${MY_MODEL}'"))
    result = waypost("config", "show", "-c", config)
    assert (result.code, result.err) == (0, "")
    shown = yaml.safe_load(result.out)
    assert shown["listeners"]["http"] == "127.0.0.1:8801"
    assert "Secret" not in result.out
