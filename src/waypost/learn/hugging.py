"""A SentencePiece model as the ``tokenizer.json`` of Hugging Face's libraries: the way back of :mod:`.vocabulary`."""

from __future__ import annotations

import base64
from typing import Any, Final

__all__ = ["tokenizer_config", "tokenizer_json"]

_SPACE: Final = "\u2581"
_NORMAL: Final = 1


def tokenizer_json(tokenizer: bytes) -> dict[str, Any]:
    """Describe a Unigram SentencePiece model so that ``tokenizers`` cuts every text into the same pieces."""
    model = _parse(tokenizer)
    first, last = model.trainer_spec.bos_id, model.trainer_spec.eos_id
    marks = {index: model.pieces[index].piece for index in (first, last)}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": index, "content": piece.piece, "special": True}
            | dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
            for index, piece in enumerate(model.pieces)
            if piece.type != _NORMAL
        ],
        "normalizer": {"type": "Sequence", "normalizers": _normalizers(model.normalizer_spec.precompiled_charsmap)},
        "pre_tokenizer": _metaspace(),
        "post_processor": _edges(marks[first], first, marks[last], last),
        "decoder": _metaspace(),
        "model": {
            "type": "Unigram",
            "unk_id": model.trainer_spec.unk_id,
            "vocab": [[piece.piece, piece.score] for piece in model.pieces],
        },
    }


def tokenizer_config(tokenizer: bytes, positions: int) -> dict[str, Any]:
    """Write what ``AutoTokenizer`` wants to know beside; ``positions`` is the longest sequence."""
    model = _parse(tokenizer)
    spec, pieces = model.trainer_spec, model.pieces
    named = {"bos": spec.bos_id, "cls": spec.bos_id, "eos": spec.eos_id, "sep": spec.eos_id}
    named |= {"pad": spec.pad_id, "unk": spec.unk_id}
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": positions,
        **{f"{name}_token": pieces[index].piece for name, index in named.items() if index >= 0},
    }


def _normalizers(charsmap: bytes) -> list[dict[str, Any]]:
    """SentencePiece's own map of characters, then its removal of spaces at the ends and of all but one between."""
    mapped = {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(charsmap).decode()}
    return [
        mapped,
        {"type": "Strip", "strip_left": True, "strip_right": True},
        {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "},
    ]


def _metaspace() -> dict[str, Any]:
    return {"type": "Metaspace", "replacement": _SPACE, "prepend_scheme": "always", "split": True}


def _edges(first: str, first_id: int, last: str, last_id: int) -> dict[str, Any]:
    """The special tokens around one text, and around and between two."""
    begin, end = ({"SpecialToken": {"id": name, "type_id": 0}} for name in (first, last))
    a, b = ({"Sequence": {"id": name, "type_id": 0}} for name in "AB")
    return {
        "type": "TemplateProcessing",
        "single": [begin, a, end],
        "pair": [begin, a, end, end, b, end],
        "special_tokens": {
            name: {"id": name, "ids": [index], "tokens": [name]} for name, index in ((first, first_id), (last, last_id))
        },
    }


def _parse(tokenizer: bytes) -> Any:  # noqa: ANN401 - generated code without types
    from sentencepiece import sentencepiece_model_pb2

    model = sentencepiece_model_pb2.ModelProto()  # type: ignore[attr-defined]
    model.ParseFromString(tokenizer)
    return model
