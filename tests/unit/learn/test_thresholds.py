import numpy as np
import pytest

from waypost.errors import DataError
from waypost.learn.thresholds import Budget, Trials, choose_threshold, sweep


@pytest.fixture
def trials() -> Trials:
    """1000 benign rows spread over [0, 0.5), 500 attacks over [0.3, 1)."""
    return Trials(
        np.linspace(0, 0.5, 1000, endpoint=False), np.linspace(0.3, 1, 500, endpoint=False), "benign", "jailbreak"
    )


def test_false_positives_stay_within_the_budget_and_the_recall_is_what_is_left(trials: Trials) -> None:
    choice = choose_threshold(trials, Budget(max_false_positive=0.01))
    assert choice.false_positive_rate is not None
    assert choice.false_positive_bound is not None
    assert choice.false_positive_rate <= choice.false_positive_bound <= 0.01
    assert choice.threshold == pytest.approx(0.498, abs=0.002)
    assert choice.recall == pytest.approx(0.717, abs=0.005)


def test_a_little_lower_would_break_the_budget(trials: Trials) -> None:
    from waypost.learn.bounds import upper_bound

    choice = choose_threshold(trials, Budget(max_false_positive=0.05))
    assert upper_bound(trials.false_positives(choice.threshold - 0.001), 1000, 0.95) > 0.05


def test_recall_is_kept_beyond_the_rows(trials: Trials) -> None:
    choice = choose_threshold(trials, Budget(min_recall=0.95))
    assert choice.recall_bound is not None
    assert choice.recall_bound >= 0.95
    assert choice.threshold == pytest.approx(0.32, abs=0.01)


def test_both_halves_at_once_or_a_refusal(trials: Trials) -> None:
    both = choose_threshold(trials, Budget(max_false_positive=0.4, min_recall=0.9))
    assert both.false_positive_bound is not None
    assert both.false_positive_bound <= 0.4
    with pytest.raises(DataError, match=r"no threshold keeps both: false positives ≤ 0.01 needs 0.49"):
        choose_threshold(trials, Budget(max_false_positive=0.01, min_recall=0.95))


@pytest.mark.parametrize(
    ("budget", "message"),
    [
        (
            Budget(max_false_positive=0.01),
            "0.01 at 95% needs at least 299 benign rows without an error; the file has 120",
        ),
        (Budget(min_recall=0.99), "0.01 at 95% needs at least 299 jailbreak rows without an error; the file has 20"),
    ],
)
def test_too_few_rows_are_refused(budget: Budget, message: str) -> None:
    with pytest.raises(DataError, match=message):
        choose_threshold(Trials(np.zeros(120), np.ones(20), "benign", "jailbreak"), budget)


def test_rows_that_are_never_ranked_first_cannot_be_recalled() -> None:
    scores = np.where(np.arange(100) < 70, 0.9, -np.inf)
    with pytest.raises(DataError, match=r"no threshold reaches a recall of 0.9: it is 0.7 when everything passes"):
        choose_threshold(Trials(np.zeros(10), scores), Budget(min_recall=0.9))


def test_benign_rows_at_the_top_of_the_scale_leave_no_threshold() -> None:
    with pytest.raises(DataError, match="cannot be kept"):
        choose_threshold(Trials(np.ones(400), np.ones(10)), Budget(max_false_positive=0.01))


def test_a_classifier_that_never_errs_gets_no_threshold_at_all() -> None:
    choice = choose_threshold(Trials(np.full(300, -np.inf), np.ones(300)), Budget(max_false_positive=0.01))
    assert (choice.threshold, choice.false_positive_rate, choice.recall) == (0.0, 0.0, 1.0)


def test_sweep_falls(trials: Trials) -> None:
    points = sweep(trials, 10)
    assert [point["threshold"] for point in points] == pytest.approx(np.linspace(0, 1, 11).tolist())
    recalls = [point["recall"] for point in points]
    assert recalls == sorted(recalls, key=lambda value: -(value or 0))
    assert points[0]["false_positive_rate"] == 1.0
    assert points[-1]["false_positive_rate"] == 0.0
