"""A smaller vocabulary: the word pieces that the supported languages need, in a tokenizer that cuts text as before.

A Unigram tokenizer picks the likeliest way to cut a text, so taking away pieces that were not part of it leaves it
the likeliest. Where a rare piece is gone the word falls into two or three others; where a whole script is gone its
single characters stay, so no text that could be read becomes unreadable, only longer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Final

import regex

__all__ = ["choose_pieces", "prune_tokenizer", "segmentation_of"]

_WHOLE: Final = regex.compile(r"[\p{Latin}\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Cyrillic}\p{Common}\p{^L}]*")
"""Every piece made of these scripts, digits and symbols stays."""
_LIKELIEST: Final = regex.compile(r"[\p{Devanagari}\p{Thai}ء-غف-ي\p{^L}]*")
"""Of pieces in the letters of Hindi, Thai and Arabic the likeliest stay, as many as there is room for."""
_SPACE: Final = "\u2581"
_NORMAL: Final = 1


def choose_pieces(tokenizer: bytes, used: Collection[int], limit: int) -> list[int]:
    """Choose at most ``limit`` piece ids, in ascending order, with all of ``used`` among them."""
    pieces = _parse(tokenizer).pieces
    needed = {number for number, piece in enumerate(pieces) if piece.type != _NORMAL or _is_basic(piece.piece)}
    needed.update(used)
    rest = [n for n, piece in enumerate(pieces) if n not in needed and _LIKELIEST.fullmatch(piece.piece)]
    rest.sort(key=lambda number: -pieces[number].score)
    return sorted(needed.union(rest[: max(0, limit - len(needed))]))


def prune_tokenizer(tokenizer: bytes, kept: Iterable[int]) -> bytes:
    """Rebuild a SentencePiece model with only these pieces, numbered anew in the same order."""
    model = _parse(tokenizer)
    pieces = [model.pieces[number] for number in kept]
    del model.pieces[:]
    model.pieces.extend(pieces)
    model.trainer_spec.vocab_size = len(pieces)
    serialised: bytes = model.SerializeToString()
    return serialised


def segmentation_of(tokenizer: bytes, texts: Iterable[str]) -> list[list[str]]:
    """Cut texts into pieces, as strings, which can be compared between vocabularies."""
    from sentencepiece import SentencePieceProcessor

    return list(map(SentencePieceProcessor(model_proto=tokenizer).encode_as_pieces, texts))


def _is_basic(piece: str) -> bool:
    return len(piece.strip(_SPACE)) <= 1 or _WHOLE.fullmatch(piece) is not None


def _parse(tokenizer: bytes) -> Any:  # noqa: ANN401 - generated code without types
    from sentencepiece import sentencepiece_model_pb2

    model = sentencepiece_model_pb2.ModelProto()  # type: ignore[attr-defined]
    model.ParseFromString(tokenizer)
    return model
