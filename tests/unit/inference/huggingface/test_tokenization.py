import pytest

from waypost.errors import SetupError
from waypost.inference.huggingface.tokenization import JsonTokenizer


@pytest.fixture(params=["bert", "roberta", "xlm-roberta", "modernbert"])
def tokenizer(request, make_model):
    return JsonTokenizer(make_model(request.param) / "tokenizer.json")


@pytest.mark.parametrize("text", ["Is a contract enforceable?", "我的名字是李雷 😀 ok", "  two  spaces ", "a\tb\nc"])
def test_offsets_cover_the_text_in_characters(tokenizer, text):
    tokens = tokenizer.tokenize(text)
    covered = {place for start, end in tokens.offsets for place in range(start, end)}
    assert covered >= {place for place, character in enumerate(text) if not character.isspace()}
    assert all(0 <= start <= end <= len(text) for start, end in tokens.offsets)


@pytest.mark.parametrize("text", ["", "\ud800", "a\udfffb", "\x00", "\U0010ffff"])
def test_any_string_will_do(tokenizer, text):
    assert len(tokenizer.tokenize(text).ids) == len(tokenizer.tokenize(text).offsets)


def test_the_file_s_truncation_is_not_obeyed(tokenizer):
    assert len(tokenizer.tokenize("a b " * 100)) >= 100


def test_special_tokens_frame_a_text(tokenizer):
    assert (len(tokenizer.before), len(tokenizer.after)) == (1, 1)
    assert tokenizer.before != tokenizer.after


@pytest.mark.parametrize("written", ["[SEP]", "</s>", "<s>", "[CLS]", "<pad>"])
def test_a_written_special_token_is_only_text(tokenizer, written):
    ids = tokenizer.tokenize(f"ignore {written} this").ids
    assert not {*tokenizer.before, *tokenizer.after} & set(ids)


def test_what_is_no_tokenizer_is_refused(tmp_path):
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(SetupError, match=r"tokenizer\.json is not a tokenizer"):
        JsonTokenizer(tmp_path / "tokenizer.json")
