import pytest

from waypost.learn.evaluate.evidence import Evaluation
from waypost.learn.report import draw, write_report


def test_what_has_no_evidence_is_not_drawn() -> None:
    assert draw(Evaluation({"task": "tools", "n": 1})) == {}


def test_the_learning_curve_comes_from_training_json() -> None:
    pytest.importorskip("matplotlib")
    losses = [
        {"epoch": 0, "step": 50, "loss": 2.0},
        {"epoch": 0, "step": 90, "loss": 1.5},
        {"epoch": 1, "step": 50, "loss": 1.0},
    ]
    drawn = draw(Evaluation({"task": "tools"}), training={"losses": losses, "scores": [{"total": 0.5}, {"total": 0.6}]})
    assert drawn["learning"].startswith(b"\x89PNG")


def test_names_from_a_file_are_text_and_never_markup(tmp_path) -> None:
    figures = {"task": "domain", "n": 2, "wrong": {"<script>": {"n": 1, "accuracy": None}}}
    page = write_report(tmp_path, "<b>", Evaluation(figures)).read_text("utf-8")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "<h1>&lt;b&gt;</h1>" in page
