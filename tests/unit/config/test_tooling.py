import pytest
from pydantic import ValidationError

from waypost.config.tooling import DecisionTools, ToolsConfig

BASE = ToolsConfig(database="tools.json", top_k=5, tags=("office",))


@pytest.mark.parametrize(
    "decision, expected",
    [
        (None, {"enabled": True, "top_k": 5}),
        ({}, {"enabled": True, "top_k": 5, "tags": ("office",)}),
        ({"enabled": False}, {"enabled": False, "top_k": 5}),
        ({"top_k": 2, "mode": "filter"}, {"enabled": True, "top_k": 2, "mode": "filter", "similarity": 0.2}),
        ({"tags": []}, {"tags": ()}),
        ({"fallback_to_empty": True}, {"fallback_to_empty": True}),
    ],
)
def test_a_decision_has_the_last_word(decision: dict[str, object] | None, expected: dict[str, object]) -> None:
    settings = BASE.under(None if decision is None else DecisionTools.model_validate(decision))
    assert {name: getattr(settings, name) for name in expected} == expected


def test_only_a_decision_may_switch_it_on() -> None:
    base = BASE.model_copy(update={"enabled": False})
    assert not base.under(None).enabled
    assert base.under(DecisionTools()).enabled


@pytest.mark.parametrize("mode", ["add", "replace"])
def test_these_modes_need_a_database(mode: str) -> None:
    with pytest.raises(ValidationError, match="needs a database"):
        ToolsConfig.model_validate({"mode": mode})
    assert ToolsConfig(mode="filter").database is None


@pytest.mark.parametrize("wrong", [{"top_k": 0}, {"top_k": 129}, {"similarity": 1.5}, {"mode": "none"}, {"topk": 3}])
def test_wrong_values_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ToolsConfig.model_validate({"database": "t.json"} | wrong)
