import json

import pytest
from typer.testing import CliRunner

from waypost.cache.measure import measure_memory
from waypost.cli.cache import app


def test_bench_prints_figures():
    result = CliRunner().invoke(app, ["bench", "--entries", "20", "--json"])
    figures = json.loads(result.stdout)
    assert figures["entries"] == 20
    assert figures["similar hit ms"]["p50"] > 0
    assert "store ms" in CliRunner().invoke(app, ["bench", "--entries", "20"]).stdout


async def test_measuring_refuses_to_measure_misses_as_hits(monkeypatch):
    monkeypatch.setattr("waypost.cache.measure._NOISE", 100.0)
    with pytest.raises(RuntimeError, match="did not do"):
        await measure_memory(20)


@pytest.fixture
def pairs(tmp_path):
    path = tmp_path / "pairs.jsonl"
    same = [{"a": f"How do I sort {n} files?", "b": f"How can I sort {n} files?", "label": 1} for n in range(20)]
    other = [{"a": f"How do I sort {n} files?", "b": f"How do I sort {n + 1} files?", "label": 0} for n in range(70)]
    path.write_text("\n".join(map(json.dumps, same + other)))
    return path


def test_calibrate_finds_a_threshold_that_the_pairs_prove(pairs):
    def run(*arguments):
        return CliRunner().invoke(app, ["calibrate", "--pairs", str(pairs), "--max-wrong", "0.05", *arguments])

    figures = json.loads(run("--json").stdout)
    assert figures["wrong_hit_rate"] == 0.0
    assert 0 < figures["wrong_hit_rate_at_most"] <= 0.05
    assert figures["hit_rate"] == 1.0
    assert "similarity:" in run().stdout


def test_calibrate_refuses_what_the_pairs_cannot_prove(pairs):
    result = CliRunner().invoke(app, ["calibrate", "--pairs", str(pairs), "--max-wrong", "0.001"])
    assert result.exit_code == 1
    assert "different rows" in str(result.exception)


@pytest.mark.parametrize("option", ["--max-wrong=0", "--max-wrong=1", "--confidence=2"])
def test_calibrate_wants_shares(option, pairs):
    assert CliRunner().invoke(app, ["calibrate", "--pairs", str(pairs), option]).exit_code == 2
