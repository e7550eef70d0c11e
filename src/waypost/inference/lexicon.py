"""Which words speak for which label: a linear model over a text's word pieces and pairs of them, beside the encoder.

An encoder reads what a text means; a few thousand terms of art settle what it is about. The two err on different
texts. One look-up in a table of small integers costs some microseconds, however many terms it knows.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from waypost.errors import SetupError
from waypost.inference.architecture import Floats
from waypost.inference.tokenizer import Tokenizer

__all__ = ["BITS", "LEXICON", "Lexicon", "terms"]

LEXICON: Final = "lexicon.npz"
BITS: Final = 17
"""Terms fall into two to this many rows."""

_MIX: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX_PAIRS: Final = np.uint64(0xFF51AFD7ED558CCD)
"""Odd constants of multiplicative hashing: Fibonacci's of SplitMix64, and one of MurmurHash3's finaliser."""


@dataclass(frozen=True, slots=True, eq=False)
class Lexicon:
    """Adds ``scale * sum(table[terms]) / sqrt(number of terms) + bias`` to the logits of a head."""

    head: str
    labels: tuple[str, ...]
    table: NDArray[np.int8]
    """[2 ** BITS, labels]"""
    scale: Floats
    """float32[labels]"""
    bias: Floats
    """float32[labels]"""

    def logits(self, tokenizer: Tokenizer, text: str) -> Floats:
        """What to add to the head's logits for ``text``; nothing for a text without words."""
        found = terms(tokenizer, text)
        if not len(found):
            return np.zeros(len(self.labels), np.float32)
        total = self.table[found].sum(axis=0, dtype=np.float32)
        return np.asarray(self.scale * total / np.sqrt(len(found)) + self.bias, np.float32)

    def save(self, directory: Path) -> None:
        """Write ``lexicon.npz``; the same bytes for the same lexicon."""
        buffer = io.BytesIO()
        names = {"head": np.array(self.head), "labels": np.array(self.labels)}
        np.savez_compressed(buffer, table=self.table, scale=self.scale, bias=self.bias, allow_pickle=False, **names)
        (directory / LEXICON).write_bytes(buffer.getvalue())

    @classmethod
    def load(cls, directory: Path, heads: Sequence[tuple[str, tuple[str, ...]]]) -> Self | None:
        """Read what :meth:`save` wrote; None where there is none.

        ``heads``: names with their labels, in order. Raises SetupError when the lexicon belongs to none of them.
        """
        path = directory / LEXICON
        if not path.exists():
            return None
        with np.load(path, allow_pickle=False) as arrays:
            head, labels = str(arrays["head"]), tuple(map(str, arrays["labels"]))
            if (head, labels) not in heads:
                raise SetupError(f"{path} belongs to another encoder; install waypost again")
            return cls(head, labels, arrays["table"], arrays["scale"], arrays["bias"])


def terms(tokenizer: Tokenizer, text: str) -> NDArray[np.int64]:
    """Rows of the word pieces and neighbouring pairs of ``text`` in lower case, each once."""
    ids = np.array(tokenizer.tokenize(text.lower()).ids, np.uint64)
    if not len(ids):
        return np.empty(0, np.int64)
    one = (ids + np.uint64(1)) * _MIX
    two = (one[:-1] ^ (one[1:] >> np.uint64(7))) * _MIX_PAIRS
    return np.unique(np.concatenate([one, two]) >> np.uint64(64 - BITS)).astype(np.int64)
