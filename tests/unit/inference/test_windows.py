import pytest

from waypost.inference.windows import plan_windows


@pytest.mark.parametrize(
    "tokens, cap, windows, skipped",
    [
        (0, 9, [(0, 0)], 0),
        (1, 9, [(0, 1)], 0),
        (10, 9, [(0, 10)], 0),
        (11, 9, [(0, 10), (7, 11)], 0),
        (17, 9, [(0, 10), (7, 17)], 0),
        (18, 9, [(0, 10), (7, 17), (14, 18)], 0),
        (18, 2, [(0, 10), (7, 17)], 1),
        (100, 1, [(0, 10)], 90),
    ],
)
def test_windows_of_ten_that_share_three(tokens, cap, windows, skipped):
    plan = plan_windows(tokens, size=10, overlap=3, cap=cap)
    assert [(window.start, window.stop) for window in plan.windows] == windows
    assert plan.skipped == skipped


@pytest.mark.parametrize("tokens", range(60))
def test_every_token_is_read_and_no_window_is_too_long(tokens):
    plan = plan_windows(tokens, size=8, overlap=2, cap=100)
    assert set().union(*plan.windows) == set(range(tokens))
    assert all(len(window) <= 8 for window in plan.windows)
    assert plan.skipped == 0
