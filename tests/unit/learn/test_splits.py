import pytest

from waypost.learn.splits import find_leaks, is_held_out

QUESTION = "How many moons does the planet Jupiter have according to the newest count of astronomers?"


@pytest.mark.parametrize(
    ("train", "held_out"),
    [
        ("What is DNA?", "What is DNA?"),
        ("what is DNA", "WHAT IS  DNA?!"),
        ("Hello. " + QUESTION + " Please answer.", QUESTION),
        ("请解释一下光合作用的基本原理和过程", "请解释一下光合作用的基本原理"),
        ("ABC的定义", "ABC的定义"),
    ],
)
def test_a_twin_is_found(train, held_out):
    (leak,) = find_leaks(["Something else entirely.", train], [held_out])
    assert (leak.text, leak.seen_in) == (held_out, train)
    assert leak.share > 0.2


@pytest.mark.parametrize(
    ("train", "held_out"),
    [
        ("What is DNA?", "What is RNA?"),
        ("How many moons does the planet Jupiter have?", "How many moons does the planet Saturn have?"),
        ("", "x"),
    ],
)
def test_a_likeness_is_no_twin(train, held_out):
    assert find_leaks([train], [held_out]) == []


def test_a_quoted_eighth_is_tolerated():
    quote = "one two three four five six seven eight"
    text = quote + " " + " ".join(f"word{number}" for number in range(40))
    assert find_leaks([quote], [text]) == []


def test_every_guilty_training_text_is_named():
    leaks = find_leaks(["A, B!", "a b", "c"], ["a b"])
    assert {leak.seen_in for leak in leaks} == {"A, B!", "a b"}


def test_the_held_out_tenth_depends_on_the_text_alone():
    texts = [f"text number {number}" for number in range(2000)]
    held_out = [text for text in texts if is_held_out(text)]
    assert 150 < len(held_out) < 250
    assert held_out == [text for text in reversed(texts) if is_held_out(text)][::-1]
