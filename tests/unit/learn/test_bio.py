import numpy as np
import pytest

from waypost.inference.tags import Tagger
from waypost.inference.tokenizer import Tokenizer, Tokens
from waypost.learn.bio import tags_of
from waypost.learn.labels import PII_TAGS


def read_back(tags, tokens, text):
    """What serving makes of logits that are sure of ``tags``."""
    found = Tagger(PII_TAGS).spans(np.eye(len(PII_TAGS), dtype=np.float32)[tags] * 9, tokens, text)
    return [(span.start, span.end, span.type) for span in found]


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("Anna Schmidt lives in Berlin", [(0, 12, "PERSON"), (22, 28, "GPE")]),
        ("in Berlin", [(3, 9, "GPE")]),
        ("Anna", [(0, 4, "PERSON")]),
        ("number is 555 0199.", [(10, 18, "PHONE_NUMBER")]),
        ("nothing here", []),
        ("", []),
    ],
)
def test_spans_survive_tagging(tiny_tokenizer, text, spans):
    tokens = Tokenizer(tiny_tokenizer).tokenize(text)
    assert read_back(tags_of(tokens.offsets, spans), tokens, text) == spans


def test_neighbours_of_one_type_stay_apart():
    tokens = Tokens((1, 2), ((0, 4), (4, 9)))
    tags = tags_of(tokens.offsets, [(0, 4, "PERSON"), (5, 9, "PERSON")])
    assert [PII_TAGS[tag] for tag in tags] == ["B-PERSON", "B-PERSON"]
    assert read_back(tags, tokens, "Anna Otto") == [(0, 4, "PERSON"), (5, 9, "PERSON")]
