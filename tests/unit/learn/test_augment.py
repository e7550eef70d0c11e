from random import Random

import pytest

from waypost.learn.augment import ANY, KEEP_LENGTH, shorten

TEXTS = (
    "What is the derivative of x squared?",
    "",
    "光合作用是什么?",
    "İstanbul'da hava nasıl? STRASSE ß",
    "A long story. " * 20 + "Who was the thief?",
)


@pytest.mark.parametrize("change", [*ANY, shorten])
@pytest.mark.parametrize("text", TEXTS)
def test_changes_follow_from_the_seed(change, text):
    assert change(text, Random(5)) == change(text, Random(5))


@pytest.mark.parametrize("change", KEEP_LENGTH)
@pytest.mark.parametrize("text", TEXTS)
def test_labelled_spans_stay_in_place(change, text):
    for seed in range(20):
        assert len(change(text, Random(seed))) == len(text)


def test_the_end_of_a_long_text_is_kept():
    assert all(shorten(TEXTS[-1], Random(seed)).endswith("Who was the thief?") for seed in range(20))
