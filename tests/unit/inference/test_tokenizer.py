import pytest

from waypost.inference.manifest import TOKENIZER
from waypost.inference.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def tokenizer(encoder_dir):
    return Tokenizer(encoder_dir / TOKENIZER)


@pytest.mark.parametrize(
    "text, pieces",
    [
        ("hello world", ["hell", "o", " world"]),
        ("求 x^2·sin(x) 的导数", ["求", " x", "^", "2", "·", "sin", "(", "x", ")", " ", "的", "导", "数"]),
        ("a😀b", ["a", "😀", "b"]),
        ("ﬁne ｆｕｌｌ", ["ﬁne", " ｆｕｌｌ"]),
        ("  two   words ", ["two", "   words"]),
        ("㍿", ["㍿"]),
    ],
)
def test_offsets_are_places_in_the_original_text(tokenizer, text, pieces):
    found = [text[start:end] for start, end in tokenizer.tokenize(text).offsets]
    assert [piece for piece in found if piece] == pieces


@pytest.mark.parametrize(
    "text", ["👨‍👩‍👧 和 家人", "e\u0301\u0302", "\ud800x\udfff", "a\x00b", "\ufeff\u2028x", "\U0010ffff"]
)
def test_offsets_ascend_within_the_text(tokenizer, text):
    tokens = tokenizer.tokenize(text)
    flat = [place for offset in tokens.offsets for place in offset]
    assert len(tokens) == len(tokens.offsets)
    assert flat == sorted(flat)
    assert all(0 <= place <= len(text) for place in flat)


@pytest.mark.parametrize("text", ["", " ", "\n\t"])
def test_blank_text_has_no_tokens(tokenizer, text):
    assert len(tokenizer.tokenize(text)) == 0


def test_lone_surrogates_do_not_move_what_follows(tokenizer):
    text = "\ud83d 帮我"
    assert text[slice(*tokenizer.tokenize(text).offsets[-1])] == "帮我"


def test_special_tokens(tokenizer):
    assert (tokenizer.first, tokenizer.last) == (0, 2)
