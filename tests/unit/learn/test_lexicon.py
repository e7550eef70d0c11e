from dataclasses import replace

import numpy as np
import pytest

from waypost.errors import SetupError
from waypost.inference.lexicon import BITS, Lexicon, terms
from waypost.inference.tokenizer import Tokenizer
from waypost.learn.lexicon import fit_lexicon, mix

LABELS = ("law", "math", "other")
TEXTS = ("the contract is void", "sue the landlord", "solve the equation", "the sum of two numbers", "good morning") * 5


@pytest.fixture(scope="module")
def tokenizer(tiny_tokenizer):
    return Tokenizer(tiny_tokenizer)


@pytest.fixture(scope="module")
def lexicon(tokenizer):
    return fit_lexicon(tokenizer, TEXTS, ("law", "law", "math", "math", "other") * 5, np.ones(len(TEXTS)), LABELS)


@pytest.mark.parametrize(
    "text, best", [("The Contract", "law"), ("landlord", "law"), ("SOLVE it", "math"), ("two numbers", "math")]
)
def test_words_speak_for_their_label(lexicon, tokenizer, text, best):
    logits = lexicon.logits(tokenizer, text)
    assert LABELS[int(logits.argmax())] == best


def test_a_text_without_words_adds_nothing(lexicon, tokenizer):
    assert lexicon.logits(tokenizer, "").tolist() == [0.0, 0.0, 0.0]


def test_terms_are_rows_of_the_table_each_once(tokenizer):
    found = terms(tokenizer, "sum sum sum of of the sum")
    assert len(set(found.tolist())) == len(found)
    assert found.min() >= 0
    assert found.max() < 2**BITS


def test_what_was_saved_answers_the_same(lexicon, tokenizer, tmp_path):
    lexicon.save(tmp_path)
    loaded = Lexicon.load(tmp_path, [("jailbreak", ("benign", "jailbreak")), ("domain", LABELS)])
    assert loaded.logits(tokenizer, "the contract").tolist() == lexicon.logits(tokenizer, "the contract").tolist()
    before = (tmp_path / "lexicon.npz").read_bytes()
    loaded.save(tmp_path)
    assert (tmp_path / "lexicon.npz").read_bytes() == before


def test_a_lexicon_of_other_labels_is_refused(lexicon, tmp_path):
    lexicon.save(tmp_path)
    with pytest.raises(SetupError, match="another encoder"):
        Lexicon.load(tmp_path, [("domain", ("math", "law", "other"))])


def test_no_lexicon_is_no_mistake(tmp_path):
    assert Lexicon.load(tmp_path, []) is None


def test_words_get_the_share_that_helps():
    truth = np.array([0, 1] * 50)
    sure = np.where(np.eye(2)[truth] == 1, 2.0, -2.0).astype(np.float32)
    silent = np.zeros_like(sure)
    wrong = -sure
    weights = np.ones(len(truth))
    assert mix(silent, sure, truth, weights)[0] > 0.5
    assert mix(sure, wrong, truth, weights)[0] == 0.0


def test_a_share_scales_what_is_added(lexicon, tokenizer):
    half = replace(lexicon, scale=lexicon.scale / 2, bias=lexicon.bias / 2)
    assert half.logits(tokenizer, "sue") == pytest.approx(lexicon.logits(tokenizer, "sue") / 2)
