"""Labelled rows as numbers: windows of token ids with their labels, ready for batches.

A row is cut into windows as serving cuts a text. Only a few windows of a very long training text are kept; its label
holds for the text, and which window shows it is left to the loss.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import Self

import numpy as np
from numpy.typing import NDArray

from waypost.inference.recipe import OVERLAP, PREFIX, WINDOW
from waypost.inference.tokenizer import Tokenizer, Tokens
from waypost.inference.windows import plan_windows
from waypost.learn.bio import tags_of
from waypost.learn.labels import ATTACKS, DOMAINS
from waypost.learn.rows import Row

__all__ = ["IGNORED", "UNKNOWN", "Corpus", "Cutter", "Packed"]

UNKNOWN = -1
"""The number of a label that is not known."""
IGNORED = -100
"""The tag of a token on which no loss is taken; torch's own default."""


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """One row in numbers."""

    windows: tuple[tuple[int, ...], ...]
    """Token ids, with prefix and special tokens."""
    tags: tuple[tuple[int, ...], ...] | None
    domain: int
    attack: int
    indirect: int
    weight: float
    rate: float
    group: int
    """Editions of one text share it; an epoch draws one of them."""


class Cutter:
    """Cuts texts into windows as the encoder does."""

    def __init__(self, tokenizer: Tokenizer, prefix: str = PREFIX) -> None:
        self._tokenizer = tokenizer
        self._before = (tokenizer.first, *tokenizer.tokenize(prefix).ids)
        self._size = WINDOW + 1 - len(self._before)

    @property
    def lead(self) -> int:
        """Tokens before the text's own."""
        return len(self._before)

    def cut(self, text: str, cap: int = 64) -> tuple[Tokens, tuple[range, ...]]:
        """Tokenize ``text`` and plan at most ``cap`` windows over it."""
        tokens = self._tokenizer.tokenize(text)
        return tokens, plan_windows(len(tokens), size=self._size, overlap=OVERLAP, cap=cap).windows

    def wrap(self, tokens: Tokens, window: range) -> tuple[int, ...]:
        """Put prefix and special tokens around a window."""
        return (*self._before, *tokens.ids[window.start : window.stop], self._tokenizer.last)

    def pack(self, row: Row, group: int, keep: int, random: Random) -> Packed:
        """Number ``row``, with at most ``keep`` of its windows: the first, the last and others by chance."""
        tokens, windows = self.cut(row.text)
        if len(windows) > keep:
            middle = sorted(random.sample(range(1, len(windows) - 1), keep - 2))
            windows = tuple(windows[index] for index in (0, *middle, len(windows) - 1))
        return Packed(
            windows=tuple(self.wrap(tokens, window) for window in windows),
            tags=self._tags(row, tokens, windows),
            domain=UNKNOWN if row.domain is None else DOMAINS.index(row.domain),
            attack=UNKNOWN if row.attack is None else ATTACKS.index(row.attack),
            indirect=UNKNOWN if row.indirect is None else int(row.indirect),
            weight=row.weight,
            rate=row.rate,
            group=group,
        )

    def _tags(self, row: Row, tokens: Tokens, windows: Sequence[range]) -> tuple[tuple[int, ...], ...] | None:
        if row.spans is None:
            return None
        tags = tags_of(tokens.offsets, row.spans)
        edge = [IGNORED] * self.lead
        return tuple((*edge, *tags[window.start : window.stop], IGNORED) for window in windows)


@dataclass(frozen=True, slots=True, eq=False)
class Corpus:
    """All packed rows, their windows laid end to end so that a token has one number in the whole corpus."""

    rows: tuple[Packed, ...]
    first_window: NDArray[np.int64]
    """The number of each row's first window; one more entry for the end."""
    first_token: NDArray[np.int64]
    """The number of each window's first token; one more entry for the end."""

    @classmethod
    def of(cls, rows: Iterable[Packed]) -> Self:
        """Lay ``rows`` out."""
        kept = tuple(rows)
        lengths = [len(window) for row in kept for window in row.windows]
        windows = accumulate((len(row.windows) for row in kept), initial=0)
        return cls(kept, np.array(list(windows)), np.array(list(accumulate(lengths, initial=0))))

    @property
    def tokens(self) -> int:
        """Tokens in all windows."""
        return int(self.first_token[-1])

    def width(self, row: int) -> int:
        """Length of the row's longest window."""
        return max(map(len, self.rows[row].windows))
