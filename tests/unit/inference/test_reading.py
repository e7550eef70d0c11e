import numpy as np
import pytest

from waypost.inference.manifest import HeadFacts, Manifest
from waypost.inference.reading import Reading, Window
from waypost.inference.tokenizer import Tokens

HEADS = (
    HeadFacts("domain", ("law", "math"), "mean"),
    HeadFacts("jailbreak", ("benign", "jailbreak", "harmful"), "most"),
    HeadFacts("indirect", ("direct", "indirect"), "worst"),
    HeadFacts("pii", ("O", "B-AGE", "I-AGE"), "spans"),
)


def manifest(heads=HEADS):
    return Manifest("r", 2, 0, (), "", "mean", "", (), {}, heads=heads)


def window(start, stop, **probabilities):
    outputs = {name: np.log(np.array(values, np.float32)) for name, values in probabilities.items()}
    return Window(range(start, stop), stop - start, outputs)


WINDOWS = [
    window(0, 3, domain=[0.9, 0.1], jailbreak=[0.8, 0.15, 0.05], indirect=[0.9, 0.1]),
    window(2, 4, domain=[0.1, 0.9], jailbreak=[0.1, 0.2, 0.7], indirect=[0.3, 0.7]),
    window(3, 4, domain=[0.1, 0.9], jailbreak=[0.2, 0.7, 0.1], indirect=[0.6, 0.4]),
]


def test_a_subject_is_of_the_whole_text():
    found = Reading(manifest()).probabilities(WINDOWS, {})["domain"]
    assert found == pytest.approx({"law": 0.5, "math": 0.5}, abs=1e-5)  # three tokens for law, three for math


def test_one_window_is_enough_for_an_attack():
    found = Reading(manifest()).probabilities(WINDOWS, {})
    assert found["jailbreak"] == pytest.approx({"benign": 0.1, "jailbreak": 0.7, "harmful": 0.7}, abs=1e-5)


def test_indirect_is_read_where_the_text_is_worst():
    assert Reading(manifest()).probabilities(WINDOWS, {})["indirect"]["indirect"] == pytest.approx(0.7, abs=1e-5)


def test_temperature_makes_modest():
    heads = (HeadFacts("domain", ("law", "math"), "mean", temperature=2.0),)
    found = Reading(manifest(heads)).probabilities(WINDOWS[:1], {})["domain"]["law"]
    assert found == pytest.approx(0.75, abs=1e-5)  # odds of 9 become odds of 3


@pytest.mark.parametrize("probability, reached", [(0.7, True), (0.71, False)])
def test_a_window_proves_an_attack_alone(probability, reached):
    assert Reading(manifest()).reaches(WINDOWS[2], probability - 1e-6) is reached


def test_an_encoder_without_heads_says_nothing():
    reading = Reading(manifest(()))
    assert reading.probabilities(WINDOWS, {}) == {}
    assert reading.spans(WINDOWS, Tokens((), ()), "") == ()
    assert not reading.reaches(WINDOWS[1], 0.0)
