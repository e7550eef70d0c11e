import numpy as np
import pytest

from waypost.learn.logistic import Sample, choose, fit, log_loss

LABELS = ("left", "middle", "right")


def blobs(rows: int, noise: float, seed: int) -> Sample:
    """Three clouds in the plane, shifted and stretched so that standardising matters."""
    random = np.random.default_rng(seed)
    classes = random.integers(0, 3, rows)
    points = np.stack([classes - 1.0, np.zeros(rows)], axis=1) + noise * random.standard_normal((rows, 2))
    features = (points * (100.0, 0.01) + (500.0, 0.0)).astype(np.float32)
    return Sample(features, [LABELS[index] for index in classes], np.ones(rows))


def accuracy(head, sample):
    guesses = head.probabilities(sample.features).argmax(axis=1)
    return np.mean([head.labels[guess] == label for guess, label in zip(guesses, sample.labels, strict=True)])


def test_it_learns_what_is_there():
    head = fit(blobs(600, 0.2, seed=0), 1.0, "r1")
    assert head.labels == LABELS
    assert head.recipe == "r1"
    assert accuracy(head, blobs(300, 0.2, seed=1)) > 0.95


def test_weights_count():
    noise = np.random.default_rng(0).standard_normal((200, 2)).astype(np.float32)
    sample = Sample(noise, ["left", "right"] * 100, np.array([9.0, 1.0] * 100))
    chances = fit(sample, 1e-6, "r1").probabilities(noise)
    np.testing.assert_allclose(chances[:, 0], 0.9, atol=0.02)


def test_the_chosen_penalty_is_the_best_of_those_tried():
    train, development = blobs(300, 0.5, seed=0), blobs(300, 0.5, seed=1)
    lines = []
    head, strength = choose(train, development, "r1", lines.append)
    losses = [float(line.split("log loss ")[1].split()[0]) for line in lines]
    assert log_loss(head, development) == pytest.approx(min(losses), abs=1e-4)
    assert f"C = {strength:g}:" in lines[losses.index(min(losses))]
