import json

import pytest

from waypost.inference.tokenizer import Tokenizer
from waypost.learn.hugging import tokenizer_config, tokenizer_json
from waypost.learn.vocabulary import pieces_of, sentencepiece_model

TEXTS = (
    "Prove that the sum of two even numbers is even.",
    "  two   spaces, a\ttab\nand a line  ",
    "Ａnna ﬁnds ½ of 10² — 请解释一下光合作用。",
    "😀 zażółć \u200b gęślą",
    "x",
)


@pytest.fixture
def written(tiny_tokenizer):
    return json.dumps(tokenizer_json(tiny_tokenizer.read_bytes()))


@pytest.mark.parametrize("text", TEXTS)
def test_the_same_pieces_by_both_libraries(tiny_tokenizer, written, text):
    tokenizers = pytest.importorskip("tokenizers")
    ours = Tokenizer(tiny_tokenizer)
    theirs = tokenizers.Tokenizer.from_str(written).encode(text).ids
    assert theirs == [ours.first, *ours.tokenize(text).ids, ours.last]


def test_there_and_back(tiny_tokenizer, written):
    again = sentencepiece_model(written.encode())
    assert pieces_of(written.encode()) == pieces_of(json.dumps(tokenizer_json(again)).encode())


def test_a_directory_that_transformers_reads(tiny_tokenizer, written, tmp_path):
    transformers = pytest.importorskip("transformers")
    (tmp_path / "tokenizer.json").write_text(written, "utf-8")
    config = tokenizer_config(tiny_tokenizer.read_bytes(), 128)
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config), "utf-8")
    loaded = transformers.AutoTokenizer.from_pretrained(tmp_path)
    assert (loaded.model_max_length, loaded.pad_token_id, loaded.cls_token_id) == (128, 1, 0)
    assert loaded("even numbers")["input_ids"][0] == 0
