"""From text to word pieces and back to places in the text."""

from __future__ import annotations

import lzma
import re
from dataclasses import dataclass
from pathlib import Path

from sentencepiece import SentencePieceProcessor

__all__ = ["Tokenizer", "Tokens"]

_XZ = b"\xfd7zXZ\x00"
_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Tokens:
    """Word pieces of a text, without special tokens.

    ``offsets`` are ``[start, end)`` in characters of the text as given, also where normalisation (NFKC) changed it.
    A piece that begins a word includes the space before it, and may be only that space or empty.
    """

    ids: tuple[int, ...]
    offsets: tuple[tuple[int, int], ...]

    def __len__(self) -> int:
        return len(self.ids)


class Tokenizer:
    """A SentencePiece model, which may be compressed with xz. Thread-safe."""

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        self._model = SentencePieceProcessor(model_proto=lzma.decompress(data) if data.startswith(_XZ) else data)

    @property
    def first(self) -> int:
        """The id of the special token that begins a sequence."""
        return int(self._model.bos_id())

    @property
    def last(self) -> int:
        """The id of the special token that ends a sequence."""
        return int(self._model.eos_id())

    def tokenize(self, text: str) -> Tokens:
        """Split ``text``. Any string will do; lone surrogates, which no encoding can carry, count as U+FFFD."""
        found = self._model.encode(_encodable(text), out_type="offset_mapping")
        return Tokens(tuple(found["ids"]), tuple(found["offsets"]))


def _encodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return _SURROGATES.sub("\ufffd", text)
    return text
