import pytest

from waypost.types import Selection
from waypost.wire import headers


@pytest.mark.parametrize(
    "category, value", [("computer science", "computer science"), ("退货", "%E9%80%80%E8%B4%A7"), ("a%b", "a%25b")]
)
def test_any_label_of_a_model_can_be_a_category(category, value):
    selection = Selection("m", None, "")
    assert dict(headers.for_backend(None, selection, category))["x-category"] == value
    found = dict(headers.for_client(None, selection, category, system_prompt=False))
    assert found["x-vsr-selected-category"] == value
