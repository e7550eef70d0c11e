import numpy as np
import pytest

from waypost.learn.smooth import absorb, factors, widest


@pytest.fixture
def uneven():
    """A layer whose third input channel is a thousand times the others."""
    random = np.random.default_rng(0)
    inputs = random.normal(0, 1, (50, 4)).astype(np.float32) * np.array([1, 1, 1000, 1], np.float32)
    state = {"layer.weight": random.normal(0, 1, (6, 4)).astype(np.float32), "other": np.ones(1, np.float32)}
    return inputs, state


def test_it_changes_nothing_in_full_precision(uneven):
    inputs, state = uneven
    by = factors(state, {"layer": np.abs(inputs).max(axis=0)})
    changed = absorb(state, by)
    np.testing.assert_allclose(
        (inputs / by["layer"]) @ changed["layer.weight"].T, inputs @ state["layer.weight"].T, rtol=1e-3, atol=1e-3
    )
    assert changed["other"] is state["other"]


def test_channels_come_nearer_to_each_other(uneven):
    inputs, state = uneven
    widths = np.abs(inputs).max(axis=0)
    smoothed = widths / factors(state, {"layer": widths})["layer"]
    assert smoothed.max() / smoothed.min() < 0.01 * widths.max() / widths.min()


def test_query_key_and_value_share_one_factor():
    random = np.random.default_rng(0)
    parts = ("query", "key", "value")
    state = {f"x.attention.self.{part}.weight": random.normal(size=(4, 4)).astype(np.float32) for part in parts}
    changed = absorb(state, factors(state, {"x.attention.self": np.array([1, 2, 3, 0], np.float32)}))
    ratios = [changed[f"x.attention.self.{part}.weight"] / state[f"x.attention.self.{part}.weight"] for part in parts]
    for ratio in ratios:
        np.testing.assert_allclose(ratio, np.broadcast_to(ratios[0][0], ratio.shape), rtol=1e-5)
    assert np.isfinite(ratios[0]).all()


def test_the_widest_of_all_sequences_counts():
    found = widest([{"a": np.array([1, 5])}, {"a": np.array([2, 3])}])
    assert found["a"].tolist() == [2, 5]
