import numpy as np
import pytest

from waypost.learn.metrics import (
    area_under_curve,
    classification,
    confusion,
    expected_calibration_error,
    groups,
    latency,
    recall_at,
    reliability,
    span_figures,
)


def test_classification_by_hand() -> None:
    truth = ["a", "a", "a", "b", "b", "c"]
    guesses = ["a", "a", "b", "b", "a", ""]
    figures = classification(truth, guesses)
    assert figures["accuracy"] == 0.5
    assert figures["per_class"]["a"] == {"precision": 0.6667, "recall": 0.6667, "f1": 0.6667, "n": 3}
    assert figures["per_class"]["b"] == {"precision": 0.5, "recall": 0.5, "f1": 0.5, "n": 2}
    assert figures["per_class"]["c"] == {"precision": None, "recall": 0.0, "f1": 0.0, "n": 1}
    assert figures["macro_f1"] == round((0.6667 + 0.5 + 0) / 3, 4)


def test_confusion_has_truth_as_lines_and_leaves_unknown_answers_out() -> None:
    table = confusion(["a", "a", "b"], ["a", "b", ""], ["a", "b"])
    assert table.tolist() == [[1, 1], [0, 0]]


@pytest.mark.parametrize(
    ("scores", "positive", "area"),
    [
        ([0.1, 0.2, 0.8, 0.9], [False, False, True, True], 1.0),
        ([0.9, 0.8, 0.2, 0.1], [False, False, True, True], 0.0),
        ([0.5, 0.5, 0.5, 0.5], [False, True, False, True], 0.5),
        ([0.1, 0.4, 0.35, 0.8], [False, False, True, True], 0.75),
        ([0.1, 0.2], [True, True], None),
        ([], [], None),
    ],
)
def test_area_under_curve(scores: list[float], positive: list[bool], area: float | None) -> None:
    assert area_under_curve(scores, positive) == area


def test_recall_at_counts_shares_of_the_wanted_items() -> None:
    ranked = [["x", "y", "z"], ["y", "x", "z"]]
    assert recall_at(ranked, [["x"], ["x", "z"]], 1) == 0.5
    assert recall_at(ranked, [["x"], ["x", "z"]], 2) == 0.75
    assert recall_at(ranked, [["x"], ["x", "z"]], 3) == 1.0
    assert recall_at([], [], 1) is None


def test_spans_are_strict_in_ends_and_type() -> None:
    truth = [[(0, 4, "PERSON")], [(0, 5, "AGE"), (9, 12, "GPE")], []]
    found = [[(0, 4, "PERSON")], [(0, 4, "AGE"), (9, 12, "PERSON")], [(3, 6, "GPE")]]
    figures = span_figures(truth, found)
    assert (figures["precision"], figures["recall"], figures["f1"]) == (0.25, 0.3333, 0.2857)
    assert figures["per_type"]["AGE"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "overlap_recall": 1.0, "n": 1}
    assert figures["per_type"]["GPE"]["overlap_recall"] == 0.0
    assert figures["per_type"]["PERSON"] == {
        "precision": 0.5,
        "recall": 1.0,
        "f1": 0.6667,
        "overlap_recall": 1.0,
        "n": 1,
    }
    assert figures["false_span_rate"] == 0.3333
    assert figures["clean_false_span_rate"] == 1.0


def test_neighbouring_spans_do_not_touch() -> None:
    assert span_figures([[(0, 4, "AGE")]], [[(4, 6, "AGE")]])["false_span_rate"] == 1.0


def test_figures_without_rows_do_not_apply() -> None:
    assert span_figures([[]], [[]])["f1"] is None
    assert span_figures([[(0, 1, "AGE")]], [[]])["clean_false_span_rate"] is None
    assert latency([]) == {"p50": None, "p99": None}


def test_groups_share_by_name() -> None:
    assert groups(["zh", "en", "en"], [True, True, False], "accuracy") == {
        "en": {"n": 2, "accuracy": 0.5},
        "zh": {"n": 1, "accuracy": 1.0},
    }


def test_reliability_and_its_error_by_hand() -> None:
    confidence, right = np.array([0.95, 0.95, 0.55, 0.55]), np.array([True, True, True, False])
    assert reliability(confidence, right) == [
        {"confidence": 0.55, "accuracy": 0.5, "n": 2},
        {"confidence": 0.95, "accuracy": 1.0, "n": 2},
    ]
    assert expected_calibration_error(confidence, right) == 0.05
