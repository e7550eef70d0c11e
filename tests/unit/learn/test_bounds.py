import numpy as np
import pytest

from waypost.learn.bounds import allowed_errors, interval, lower_bound, rows_needed, upper_bound


@pytest.mark.parametrize(
    ("errors", "rows", "bound"),
    [
        (0, 299, 0.009970),  # 1 - 0.05 ** (1 / 299)
        (0, 10, 0.258866),
        (1, 10, 0.394163),  # printed tables of the binomial
        (5, 100, 0.102253),
        (10, 10, 1.0),
    ],
)
def test_upper_bound(errors: int, rows: int, bound: float) -> None:
    assert upper_bound(errors, rows, 0.95) == pytest.approx(bound, abs=1e-5)


def test_lower_bound_mirrors_the_upper() -> None:
    assert lower_bound(10, 10, 0.95) == pytest.approx(0.741134, abs=1e-5)
    assert lower_bound(0, 10, 0.95) == 0.0


def test_interval_is_two_sided() -> None:
    assert interval(5, 10) == pytest.approx((0.187086, 0.812914), abs=1e-5)


@pytest.mark.parametrize(
    ("rate", "confidence", "rows"), [(0.01, 0.95, 299), (0.05, 0.95, 59), (0.001, 0.95, 2995), (0.01, 0.99, 459)]
)
def test_rows_needed(rate: float, confidence: float, rows: int) -> None:
    assert rows_needed(rate, confidence) == rows
    assert allowed_errors(rows, rate, confidence) == 0
    assert allowed_errors(rows - 1, rate, confidence) == -1


def test_one_error_more_than_allowed_breaks_the_bound() -> None:
    allowed = allowed_errors(904, 0.01, 0.95)
    assert upper_bound(allowed, 904, 0.95) <= 0.01 < upper_bound(allowed + 1, 904, 0.95)


def test_agrees_with_scipy() -> None:
    beta = pytest.importorskip("scipy.stats").beta
    for errors, rows in ((0, 50), (3, 200), (40, 1000), (999, 1000)):
        assert upper_bound(errors, rows, 0.9) == pytest.approx(beta.ppf(0.9, errors + 1, rows - errors), abs=1e-9)


def test_thresholds_chosen_on_their_own_rows_keep_the_promise() -> None:
    """Wilks: the share of draws whose true rate is over the budget stays under 1 - confidence."""
    random = np.random.default_rng(0)
    allowed = allowed_errors(400, 0.02, 0.95)
    broken = 0
    for _ in range(2000):
        threshold = np.sort(random.random(400))[::-1][allowed]  # uniform scores: the true rate is 1 - threshold
        broken += (1 - threshold) > 0.02
    assert broken / 2000 < 0.06
