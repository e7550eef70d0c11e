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
