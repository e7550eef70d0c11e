import json

import numpy as np
import pytest

from waypost.errors import SetupError
from waypost.inference.head import Head


@pytest.fixture
def head():
    weight = np.array([[2.0, 0.0, -2.0], [0.0, 1.0, 0.0]], np.float16)
    return Head(("a", "b", "c"), weight, np.zeros(3, np.float32), temperature=1.0, recipe="r1")


def test_probabilities_are_a_softmax(head):
    found = head.probabilities(np.array([1.0, 0.0], np.float32))
    expected = np.exp([2.0, 0.0, -2.0]) / np.exp([2.0, 0.0, -2.0]).sum()
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_many_rows_and_huge_logits(head):
    found = head.probabilities(np.array([[1e6, 0], [-1e6, 0], [0, 0]], np.float32))
    np.testing.assert_allclose(found, [[1, 0, 0], [0, 0, 1], [1 / 3] * 3], atol=1e-6)


def test_a_saved_head_is_loaded_as_it_was(head, tmp_path):
    head.save(tmp_path / "domain", {"seed": 0})
    loaded = Head.load(tmp_path / "domain", "r1")
    assert loaded.labels == head.labels
    np.testing.assert_array_equal(loaded.weight, head.weight)
    assert json.loads((tmp_path / "domain" / "manifest.json").read_text())["seed"] == 0


def test_a_head_of_another_encoder_is_refused(head, tmp_path):
    head.save(tmp_path, {})
    with pytest.raises(SetupError, match="another encoder"):
        Head.load(tmp_path, "r2")


def test_changed_weights_are_refused(head, tmp_path):
    head.save(tmp_path, {})
    (tmp_path / "head.npz").write_bytes(b"PK")
    with pytest.raises(SetupError, match="changed"):
        Head.load(tmp_path, "r1")


def test_a_missing_head_is_a_setup_error(tmp_path):
    with pytest.raises(SetupError, match="no classifier"):
        Head.load(tmp_path, "r1")
