"""The file of records: one line a request, nothing that a client wrote, and never more than it may hold."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from waypost.config.observing import Records
from waypost.errors import SetupError
from waypost.observe.definitions import definitions_of
from waypost.observe.prices import Prices
from waypost.observe.records import Described, RecordFile, record_line
from waypost.types import Recalled, Record, SignalResult, Step, ToolChoice, Verdict


@pytest.fixture
def described(make_config) -> Described:
    config = make_config()
    names = frozenset({"MoM", *config.models})
    return Described("c0ffee", definitions_of(config), Prices.of(config), names)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "records.jsonl"


def lines(path) -> list[dict]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_a_line(record, described):
    verdict = Verdict("pii", "mask", {"EMAIL_ADDRESS": 0.99})
    assert record_line(replace(record, verdicts=(verdict,)), described) == {
        "v": 1,
        "of": "c0ffee",
        "time": 1_700_000_000.0,
        "id": "r-1",
        "trace": "a" * 32,
        "path": "/v1/chat/completions",
        "requested": "MoM",
        "status": 200,
        "decision": "calculate",
        "confidence": 0.9,
        "model": "large",
        "selection": "best score of 2 models",
        "signals": {
            "keyword": {"matched": ["sum"], "threshold": None},
            "domain": {"matched": ["math"], "scores": {"math": 0.9, "law": 0.1}, "threshold": 0.5},
        },
        "guards": [{"guard": "pii", "action": "mask", "found": {"EMAIL_ADDRESS": 0.99}, "error": ""}],
        "tokens": [1_000_000, 11],
        "cost": ["USD", 3.000066],
        "seconds": {"signals": {"keyword": 0.001, "domain": 0.01}, "router": 0.012, "first_token": 0.5, "total": 1.5},
    }


def test_cache_and_tools_are_told_where_they_were_asked(record, described):
    asked = replace(
        record,
        recalled=Recalled(True, "similar", 0.93),
        tools=ToolChoice("add", offered=2, selected=1, added=("get_forecast",), tokens_saved=-40),
        steps={"cache": Step(0.1, 0.002), "tools": Step(0.1, 0.003)},
    )
    line = record_line(asked, described)
    assert line["cache"] == {"hit": True, "reason": "similar", "similarity": 0.93}
    assert (line["tools"]["mode"], line["tools"]["added"]) == ("add", ("get_forecast",))
    assert (line["seconds"]["cache"], line["seconds"]["tools"]) == (0.002, 0.003)
    assert not {"cache", "tools"} & record_line(record, described).keys()


def test_nothing_that_a_client_made_up(described):
    secret = "my password is hunter2"
    line = record_line(Record(f"/v1/{secret}", secret, 404, error="model_not_found"), described)
    assert "hunter2" not in json.dumps(line)


@pytest.mark.parametrize("name", ["a\x85b", "a\u2028b\u2029c", "a\x0bb\x1ec\r\n", "\udc80", "编号-7"])
def test_an_odd_id_is_one_line_to_every_reader(record, described, path, name):
    file = RecordFile(Records(path=str(path)), print)
    for request_id in ("before", name, "after"):
        file.offer(replace(record, request_id=request_id), described)
    file.close(30)
    assert [line["id"] for line in lines(path)[1:]] == ["before", name, "after"]


def test_an_id_has_a_bound(record, described):
    assert record_line(replace(record, request_id="x" * 60_000), described)["id"] == "x" * 128


@pytest.mark.parametrize(("score", "kept"), [(0.5, 0.5), (0.49999999, 0.499999), (0.1234567, 0.123456), (1, 1)])
def test_a_score_is_never_rounded_up_to_a_threshold(record, described, score, kept):
    signals = {"domain": SignalResult("domain", scores={"math": score})}
    assert record_line(replace(record, signals=signals), described)["signals"]["domain"]["scores"] == {"math": kept}


def test_a_file_describes_its_configurations(record, described, path):
    file = RecordFile(Records(path=str(path)), print)
    for digest in ("one", "one", "two"):
        file.offer(record, replace(described, digest=digest))
    file.close(30)
    found = lines(path)
    assert [line.get("config") or line["of"] for line in found] == ["one", "one", "one", "two", "two"]
    assert found[0]["definitions"].keys() == {"names", "models", "thresholds"}


def test_it_is_continued_after_a_restart(record, described, path):
    for _ in range(2):
        file = RecordFile(Records(path=str(path)), print)
        file.offer(record, described)
        file.close(30)
    assert ["config" in line for line in lines(path)] == [True, False, True, False]


def test_it_stays_within_its_bounds(record, described, path):
    settings = Records(path=str(path), max_size="64KiB", files=2)
    file = RecordFile(settings, print)
    long = replace(record, signals={"domain": SignalResult("domain", scores={f"{n}": 0.5 for n in range(100)})})
    for _ in range(400):
        file.offer(long, described)
    file.close(30)
    names = sorted(each.name for each in path.parent.iterdir())
    assert names == ["records.jsonl", "records.jsonl.1", "records.jsonl.2"]
    for name in names:
        assert (path.parent / name).stat().st_size < 64 * 2**10 + 4_000
        assert "config" in lines(path.parent / name)[0]


def test_a_file_that_cannot_be_written_stops_the_start(tmp_path):
    with pytest.raises(SetupError, match=r"observability\.records\.path: cannot write .*: No such file"):
        RecordFile(Records(path=str(tmp_path / "missing" / "records.jsonl")), print)


@pytest.mark.parametrize(("change", "differs"), [("threshold", False), ("model", True)])
def test_a_threshold_is_no_part_of_a_classifier(make_config, change, differs):
    value = {"threshold": 0.9} if change == "threshold" else {"model": "/models/mine"}
    one, two = definitions_of(make_config()), definitions_of(make_config(classifiers={"domain": value}))
    assert (one.models["domain"] != two.models["domain"]) is differs
    assert one.thresholds != two.thresholds or differs
