import numpy as np
import pytest

from waypost.learn.calibration import Isotonic, calibrate, fit_temperature, log_loss, tempered
from waypost.learn.metrics import Floats


def _softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


@pytest.fixture
def honest() -> tuple[Floats, np.ndarray]:
    """Probabilities over four labels, and labels drawn by them."""
    random = np.random.default_rng(1)
    probabilities = _softmax(2 * random.standard_normal((4000, 4)))
    truth = (random.random((4000, 1)) > probabilities.cumsum(axis=1)).sum(axis=1)
    return probabilities, np.minimum(truth, 3)


def test_temperature_undoes_overconfidence(honest: tuple[Floats, np.ndarray]) -> None:
    probabilities, truth = honest
    boastful = tempered(probabilities, 0.5)
    assert fit_temperature(boastful, truth) == pytest.approx(2.0, rel=0.1)
    assert log_loss(tempered(boastful, 2.0), truth) < log_loss(boastful, truth)


def test_tempering_keeps_the_ranking_and_the_sum(honest: tuple[Floats, np.ndarray]) -> None:
    probabilities, _ = honest
    warm = tempered(probabilities, 3.0)
    assert (warm.argmax(axis=1) == probabilities.argmax(axis=1)).all()
    assert warm.sum(axis=1) == pytest.approx(1.0)


def test_honest_probabilities_are_hardly_changed(honest: tuple[Floats, np.ndarray]) -> None:
    result = calibrate(*honest)
    assert result.temperature == pytest.approx(1.0, abs=0.1)
    assert result.method != "isotonic"


def test_isotonic_wins_where_no_temperature_fits() -> None:
    random = np.random.default_rng(2)
    score = random.random(4000)
    truth = (random.random(4000) < np.where(score > 0.9, 0.95, 0.05)).astype(np.int64)
    result = calibrate(np.stack([1 - score, score], axis=1), truth, watched=1)
    assert result.method == "isotonic"
    assert result.log_loss["isotonic"] < result.log_loss["temperature"]


def test_isotonic_pools_violators() -> None:
    scores, right = np.array([0.1, 0.2, 0.3, 0.4]), np.array([False, True, False, True])
    fitted = Isotonic.fit(scores, right)
    assert fitted.scores == pytest.approx([0.1, 0.25, 0.4])
    assert fitted.values == pytest.approx([1 / 3, 1 / 2, 2 / 3])
    assert (np.diff(fitted.apply(np.linspace(0, 1, 50))) >= 0).all()
