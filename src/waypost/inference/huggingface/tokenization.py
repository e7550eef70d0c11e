"""Any ``tokenizer.json``, through the ``tokenizers`` package (extra ``models``)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from waypost.errors import SetupError
from waypost.inference.huggingface.extras import require
from waypost.inference.tokenizer import Tokens

__all__ = ["JsonTokenizer"]

_PROBE: Final = "a"


class JsonTokenizer:
    """A fast tokenizer. Thread-safe. A text cannot hold the tokens that frame it: ``[SEP]`` is read as text."""

    def __init__(self, path: Path) -> None:
        package = require("tokenizers", "to run models in Hugging Face's layout")
        try:
            self._tokenizer: Any = package.Tokenizer.from_file(str(path))
        except Exception as error:  # the package raises nothing narrower
            raise SetupError(f"{path} is not a tokenizer: {error}") from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._tokenizer.encode_special_tokens = True
        self.before, self.after = self._frame()
        self._reserved = frozenset((*self.before, *self.after))

    @property
    def size(self) -> int:
        """How many ids there are; each is smaller."""
        return 1 + max(self._tokenizer.get_vocab(with_added_tokens=True).values(), default=-1)

    def tokenize(self, text: str) -> Tokens:
        """Split any string, without special tokens; lone surrogates, which no encoding can carry, count as ``?``."""
        encoding = self._tokenizer.encode(text.encode(errors="replace").decode(), add_special_tokens=False)
        # Unigram models know even their special tokens as pieces, also where normalisation made one out of the text.
        pairs = [pair for pair in zip(encoding.ids, encoding.offsets, strict=True) if pair[0] not in self._reserved]
        return Tokens(tuple(number for number, _ in pairs), tuple(place for _, place in pairs))

    def _frame(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The special tokens that the model was trained to see before and after a text."""
        encoding = self._tokenizer.encode(_PROBE)
        inside = [index for index, special in enumerate(encoding.special_tokens_mask) if not special]
        if not inside:
            raise SetupError(f"the tokenizer makes nothing of {_PROBE!r}")
        return tuple(encoding.ids[: inside[0]]), tuple(encoding.ids[inside[-1] + 1 :])
