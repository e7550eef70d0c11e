"""The choice of tools in numbers, by decision."""

from __future__ import annotations

from dataclasses import replace

import pytest

from waypost.observe.metrics import Metrics
from waypost.types import Step, ToolChoice

FILTERED = ToolChoice("filter", offered=4, selected=2, removed=6, tokens_saved=700)
ADDED = ToolChoice("add", offered=3, selected=1, added=("get_forecast", "pay_bill"), tokens_saved=-80)
UNKNOWN = ToolChoice("filter", offered=9, unknown="the queue is full")


@pytest.fixture
def counted(record):
    def counted(*choices: ToolChoice, **changes):
        metrics = Metrics()
        for choice in choices:
            metrics.observe(replace(record, tools=choice, steps={"tools": Step(0.12, 0.02)}, **changes))
        return lambda name, **labels: metrics.registry.get_sample_value(name, labels)

    return counted


@pytest.mark.parametrize(
    ("choice", "result", "counts", "removed", "added"),
    [
        (FILTERED, "changed", {"offered": 4, "selected": 2, "added": 0, "removed": 6}, 700, 0),
        (ADDED, "changed", {"offered": 3, "selected": 1, "added": 2, "removed": 0}, 0, 80),
        (UNKNOWN, "unknown", {"offered": 9, "selected": 0, "added": 0, "removed": 0}, 0, 0),
        (ToolChoice("replace", offered=1), "unchanged", {"offered": 1, "removed": 0}, 0, 0),
    ],
)
def test_a_choice(counted, choice, result, counts, removed, added):
    value = counted(choice)
    decision = {"decision_name": "calculate"}
    assert value("waypost_tool_choices_total", strategy=choice.mode, result=result, **decision) == 1
    for what, count in counts.items():
        assert value("waypost_tools_total", what=what, **decision) == count
    assert value("waypost_tool_tokens_removed_total", **decision) == removed
    assert value("waypost_tool_tokens_added_total", **decision) == added
    assert value("vsr_tools_retrieval_duration_seconds_sum", strategy=choice.mode) == 0.02


def test_choices_add_up_and_a_named_model_has_no_decision(counted):
    value = counted(FILTERED, FILTERED, decision=None)
    assert value("waypost_tools_total", decision_name="none", what="removed") == 12
