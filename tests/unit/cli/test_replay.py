"""``waypost replay``: records in, differences and an exit code out."""

from __future__ import annotations

import json

import pytest

from waypost.config.load import load
from waypost.observe.definitions import definitions_of


@pytest.fixture
def records(nowhere, config):
    """Two requests that ``config`` routed: one by the keyword, one by default."""
    definitions = definitions_of(load(config, {}).config)
    described = {name: getattr(definitions, name) for name in ("names", "models", "thresholds")}
    lines = [
        {"v": 1, "config": "c", "waypost": "0", "definitions": described},
        request("one", "reasoning", "large", ["proof"]),
        request("two", "", "small", []),
    ]
    path = nowhere / "records.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return path


def request(name: str, decision: str, model: str, matched: list[str]) -> dict:
    signals = {"keyword": {"matched": matched, "threshold": None}}
    return {"v": 1, "of": "c", "id": name, "requested": "MoM", "decision": decision, "model": model, "signals": signals}


@pytest.fixture
def other(config, nowhere):
    """The same configuration with another default model."""
    path = nowhere / "other.yaml"
    path.write_text(config.read_text("utf-8").replace("default_model: small", "default_model: large"), "utf-8")
    return path


def test_nothing_changes(waypost, records, config):
    result = waypost("replay", records, "-c", config)
    assert (result.code, result.err) == (0, "")
    assert result.out == "2 requests, 2 of them can be replayed, 0 would change\n"


def test_what_changes(waypost, records, other):
    result = waypost("replay", records, "-c", other)
    assert (result.code, result.err) == (0, "")
    first, *rest = result.out.splitlines()
    assert first == "2 requests, 2 of them can be replayed, 1 would change"
    assert [line.strip() for line in rest] == ["1  model: small -> large"]


def test_as_json(waypost, records, other):
    found = json.loads(waypost("replay", records, "-c", other, "--json").out)
    assert found["figures"]["model_changed"] == 1
    assert found["models"] == [{"before": "small", "after": "large", "requests": 1}]
    assert [row["request_id"] for row in found["changes"]] == ["two"]


@pytest.mark.parametrize(
    ("expectation", "code"), [("model_changed<=50%", 0), ("model_changed<=49%", 1), ("unknown==0", 0), ("changed<1", 1)]
)
def test_expectations(waypost, records, other, expectation, code):
    result = waypost("replay", records, "-c", other, "--expect", expectation)
    assert result.code == code
    assert result.err == (f"waypost: expectation broken: {expectation}\n" if code else "")


def test_an_expectation_that_cannot_be_read(waypost, records, config):
    result = waypost("replay", records, "-c", config, "--expect", "better")
    assert result.code == 1
    assert "cannot read the expectation 'better'" in result.err


def test_a_file_that_is_not_there(waypost, config):
    result = waypost("replay", "nowhere.jsonl", "-c", config)
    assert (result.code, result.err) == (1, "waypost: nowhere.jsonl: cannot be read: no such file or directory\n")
