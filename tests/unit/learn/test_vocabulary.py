import json

import pytest
from sentencepiece import SentencePieceProcessor

from waypost.errors import SetupError
from waypost.learn.vocabulary import pieces_of, sentencepiece_model

PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "a", "b", "▁ab", "<mask>"]


def tokenizer(normalizer) -> bytes:
    vocabulary = [[piece, -float(index)] for index, piece in enumerate(PIECES)]
    return json.dumps({"model": {"type": "Unigram", "vocab": vocabulary}, "normalizer": normalizer}).encode()


@pytest.mark.parametrize(
    "normalizer",
    [
        {"type": "Precompiled", "precompiled_charsmap": ""},
        {"type": "Sequence", "normalizers": [{"type": "Strip"}, {"precompiled_charsmap": ""}]},
    ],
)
def test_the_rebuilt_model_has_the_same_pieces_at_the_same_ids(normalizer):
    source = tokenizer(normalizer)
    model = SentencePieceProcessor(model_proto=sentencepiece_model(source))
    assert [model.id_to_piece(index) for index in range(model.vocab_size())] == pieces_of(source) == PIECES
    assert (model.bos_id(), model.pad_id(), model.eos_id(), model.unk_id()) == (0, 1, 2, 3)
    assert model.encode("ab") == [7]
    assert model.encode("<s>z")[-1] == 3


def test_a_tokenizer_without_a_character_map_is_refused():
    with pytest.raises(SetupError, match="character map"):
        sentencepiece_model(tokenizer({"type": "Lowercase"}))
