"""``waypost replay``: records in, differences and an exit code out."""

from __future__ import annotations

import io
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


@pytest.mark.parametrize("source", ["file", "stdin"])
def test_an_odd_id_does_not_break_the_file(waypost, records, config, source, monkeypatch):
    odd = {**request("a\u2028b\x85c", "", "small", []), "requested": "MoM"}
    text = records.read_text("utf-8") + json.dumps(odd, ensure_ascii=False) + "\n"
    records.write_text(text, "utf-8")
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    result = waypost("replay", records if source == "file" else "-", "-c", config)
    assert result.out == "3 requests, 3 of them can be replayed, 0 would change\n"


def test_nothing_told_keeps_no_promise(waypost, records, config):
    lines = records.read_text("utf-8").replace('"MoM"', '"gone"')
    records.write_text(lines, "utf-8")
    result = waypost("replay", records, "-c", config, "--expect", "newly_blocked==0", "--json")
    why = "newly_blocked==0 (none of 2 requests can be replayed)"
    assert (result.code, result.err) == (1, f"waypost: expectation broken: {why}\n")
    found = json.loads(result.out)
    assert (found["broken"], found["figures"]["newly_blocked"]) == (["newly_blocked==0"], None)
    assert waypost("replay", records, "-c", config, "--expect", "unknown<=2").code == 0


@pytest.mark.parametrize(
    ("content", "why"), [(b"\xff\n", "is not UTF-8, as records are"), (b"\n", "1: is no record of format 1")]
)
def test_a_file_of_something_else(waypost, records, config, content, why):
    records.write_bytes(content)
    result = waypost("replay", records, "-c", config)
    assert (result.code, why in result.err, result.err.count("\n")) == (1, True, 1)


def test_an_expectation_that_cannot_be_read(waypost, records, config):
    result = waypost("replay", records, "-c", config, "--expect", "better")
    assert result.code == 1
    assert "cannot read the expectation 'better'" in result.err


def test_a_file_that_is_not_there(waypost, config):
    result = waypost("replay", "nowhere.jsonl", "-c", config)
    assert (result.code, result.err) == (1, "waypost: nowhere.jsonl: cannot be read: no such file or directory\n")
