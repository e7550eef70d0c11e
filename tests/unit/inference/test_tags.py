import numpy as np
import pytest

from waypost.inference.tags import Span, Tagger, join_windows
from waypost.inference.tokenizer import Tokens

TAGS = ("O", "B-PERSON", "I-PERSON", "B-AGE", "I-AGE")


def logits(*tags, sure=5.0):
    """Rows that prefer the named tags."""
    rows = np.zeros((len(tags), len(TAGS)), np.float32)
    for row, tag in zip(rows, tags, strict=True):
        row[TAGS.index(tag)] = sure
    return rows


def words(text):
    """One token a word, each with the space before it."""
    ends = [index for index, letter in enumerate(f"{text} ") if letter == " "]
    starts = [0, *ends[:-1]]
    return Tokens(tuple(range(len(ends))), tuple(zip(starts, ends, strict=True)))


def found(text, *tags):
    return [(text[s.start : s.end], s.type) for s in Tagger(TAGS).spans(logits(*tags), words(text), text)]


@pytest.mark.parametrize(
    "tags, spans",
    [
        (("O", "B-PERSON", "I-PERSON", "O"), [("Ann Lee", "PERSON")]),
        (("B-PERSON", "B-PERSON", "O", "B-AGE"), [("I", "PERSON"), ("Ann", "PERSON"), ("42", "AGE")]),
        (("O", "O", "O", "O"), []),
        (("O", "O", "O", "B-AGE"), [("42", "AGE")]),
    ],
)
def test_legal_tags_are_read_as_they_are(tags, spans):
    assert found("I Ann Lee 42", *tags) == spans


def test_an_inner_tag_without_a_beginning_is_repaired():
    assert found("I Ann Lee 42", "O", "I-PERSON", "I-PERSON", "O") == [("Ann Lee", "PERSON")]


def test_an_inner_tag_of_another_type_does_not_mix_types():
    spans = found("I Ann Lee 42", "O", "B-PERSON", "I-PERSON", "I-AGE")
    assert spans[0] == ("Ann Lee", "PERSON")
    assert {kind for _, kind in spans} <= {"PERSON", "AGE"}


def test_repair_chooses_the_likeliest_sequence():
    """Of all sequences: checked by trying each."""
    from itertools import product

    random = np.random.default_rng(0)
    for _ in range(20):
        scores = random.normal(0, 2, (4, len(TAGS))).astype(np.float32)
        scores[0, 2] += 3  # begin with an inner tag, so that repair is needed
        legal = [s for s in product(range(5), repeat=4) if _is_legal(s)]
        best = max(legal, key=lambda s: sum(scores[index, tag] for index, tag in enumerate(s)))
        assert Tagger(TAGS)._best_tags(scores).tolist() == list(best)


def _is_legal(tags):
    before = "O"
    for tag in (TAGS[number] for number in tags):
        if tag.startswith("I-") and before[2:] != tag[2:]:
            return False
        before = tag
    return True


def test_the_score_is_the_mean_probability_of_the_type():
    text = "Ann Lee"
    (span,) = Tagger(TAGS).spans(logits("B-PERSON", "I-PERSON", sure=2.0), words(text), text)
    one = (np.exp(2) + 1) / (np.exp(2) + 4)
    assert span == Span(0, 7, "PERSON", pytest.approx(one, abs=1e-5))
    (modest,) = Tagger(TAGS, temperature=2.0).spans(logits("B-PERSON", "I-PERSON", sure=2.0), words(text), text)
    assert modest.score < span.score


def test_a_span_of_white_space_is_none():
    tokens = Tokens((1, 2), ((0, 1), (1, 2)))
    assert Tagger(TAGS).spans(logits("B-AGE", "O"), tokens, "  ") == ()


def test_a_character_that_two_spans_share_belongs_to_the_first():
    tokens = Tokens((1, 2, 3), ((0, 3), (2, 3), (3, 5)))
    spans = Tagger(TAGS).spans(logits("B-PERSON", "B-AGE", "I-AGE"), tokens, "Ann42")
    assert [(span.start, span.end) for span in spans] == [(0, 3), (3, 5)]


def test_no_tokens():
    assert Tagger(TAGS).spans(np.zeros((0, 5), np.float32), Tokens((), ()), "") == ()


def test_a_span_over_the_edge_of_two_windows_is_one():
    text = "a b Ann Lee Roe c"
    whole = logits("O", "O", "B-PERSON", "I-PERSON", "I-PERSON", "O")
    cut = logits("B-PERSON", "I-PERSON", "O")  # the second window does not see where the name begins
    joined = join_windows([range(5), range(3, 6)], [whole[:5], cut])
    spans = Tagger(TAGS).spans(joined, words(text), text)
    assert [text[span.start : span.end] for span in spans] == ["Ann Lee Roe"]


def test_the_window_that_sees_more_around_a_token_counts_more():
    left, right = logits("O", "O", "O", "B-AGE"), logits("O", "O", "O", "O")
    joined = join_windows([range(4), range(2, 6)], [left, right])
    assert joined.shape == (6, 5)
    assert joined[3].argmax() == 0  # last in the left window, second in the right
