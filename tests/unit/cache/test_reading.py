import pytest

from waypost.cache.match import readable
from waypost.cache.reading import Reading, read, stem


@pytest.mark.parametrize(
    "words",
    [
        ("reverse", "reverses", "reversing", "reversed"),
        ("sort", "sorted", "sorting", "sorts"),
        ("city", "cities"),
        ("stop", "stopped", "stopping"),
        ("france", "france's"),
    ],
)
def test_forms_of_a_word_have_one_stem(words):
    assert len(set(map(stem, words))) == 1


@pytest.mark.parametrize("word", ["bus", "class", "osmosis", "king", "string", "c++", "node.js", "日本", "straße"])
def test_some_words_are_stems(word):
    assert stem(word) == word


@pytest.mark.parametrize(
    "text, terms",
    [
        ("What are the signs of gout?", {"symptom", "gout"}),
        ("gout symptoms", {"symptom", "gout"}),
        ("What is the way of sorting in C++?", {"sort", "c++"}),
        ("请问日本的首都是哪里？", {"日", "本", "capital"}),
        ("１００ ｋｍ", {"100", "kilometr"}),
    ],
)
def test_terms_carry_the_subject(text, terms):
    assert read(text).subject == terms


def test_tokens_know_their_place():
    reading = read("Don't ask 用Python吗")
    spelt = [reading.text[b : b + len(t)] for b, t in zip(reading.begins, reading.tokens, strict=True)]
    assert spelt == ["Don't", "ask", "用", "Python", "吗"]


@pytest.mark.parametrize(
    "question, reason",
    [("", "no_question"), ("What is it?", "no_question"), ("word " * 1000, "too_long"), ("News of today", "timely")],
)
def test_some_questions_are_compared_with_none(question, reason):
    assert readable(question) == reason


def test_others_are_read():
    assert isinstance(readable("How do I reset my password?"), Reading)


def test_what_was_written_is_kept_beside_what_is_read():
    reading = read("  Ｗhat is 2³? ")
    assert (reading.written, reading.text) == ("Ｗhat is 2³?", "What is 23?")
