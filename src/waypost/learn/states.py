"""What the frozen layers make of each window, computed once and kept on disk.

Half of a step's forward work is below the layers that learn; from the second epoch on it is read from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from waypost.learn.corpus import IGNORED, Corpus
from waypost.learn.multitask import MultiTask

__all__ = ["Batch", "StateCache"]


_Mode = Literal["r+", "c"]
"""Of a file that is there: to be written to, or to be changed in memory only."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Rows of a corpus as tensors, one line a window, all on the model's device."""

    rows: Tensor
    """The line's row, counted within the batch."""
    states: Tensor
    """float[windows, tokens, hidden]: what the frozen layers made of them."""
    mask: Tensor
    """True at tokens, false at padding."""
    tags: Tensor
    """int[windows, tokens]; ``IGNORED`` where no loss is taken."""
    teacher: Tensor
    """float[windows, hidden]: the embedding before training."""
    domain: Tensor
    attack: Tensor
    indirect: Tensor
    weight: Tensor
    """These four by row."""

    @property
    def count(self) -> int:
        """Rows in the batch."""
        return len(self.domain)


class StateCache:
    """Frozen states and first embeddings of a corpus, in files that are filled as windows are first seen."""

    def __init__(self, corpus: Corpus, hidden: int, directory: Path, *, borrowed: bool = False) -> None:
        """``borrowed``: read what another run keeps in ``directory`` and leave it as it is."""
        directory.mkdir(parents=True, exist_ok=True)
        mode: _Mode = "c" if borrowed else "r+"
        windows = len(corpus.first_token) - 1
        self._corpus = corpus
        self._states = _file(directory / "states.f16", (corpus.tokens, hidden), np.float16, mode)
        self._teacher = _file(directory / "teacher.f16", (windows, hidden), np.float16, mode)
        self._filled = _file(directory / "filled.u8", (windows,), np.uint8, mode)

    def load(self, rows: list[int], model: MultiTask) -> Batch:
        """Load ``rows`` as a batch, computing with ``model`` what is not kept yet.

        The model's adapters are switched off for that, so the first embeddings are those of the base.
        """
        corpus = self._corpus
        windows = [w for row in rows for w in range(corpus.first_window[row], corpus.first_window[row + 1])]
        missing = [window for window in windows if not self._filled[window]]
        if missing:
            self._fill(missing, windows, rows, model)
        return self._batch(rows, windows, model.device)

    def _fill(self, missing: list[int], windows: list[int], rows: list[int], model: MultiTask) -> None:
        tokens = dict(zip(windows, (ids for row in rows for ids in self._corpus.rows[row].windows), strict=True))
        lengths = [len(tokens[window]) for window in missing]
        ids = torch.ones(len(missing), max(lengths), dtype=torch.long)
        for line, window in enumerate(missing):
            ids[line, : lengths[line]] = torch.tensor(tokens[window])
        ids, mask, device = ids.to(model.device), _mask(lengths).to(model.device), model.device.type
        with torch.no_grad(), torch.autocast(device, torch.bfloat16), model.trunk.untrained():
            states = model.trunk.below(ids, mask)
            teacher = model.embed(states, mask).float().cpu().numpy()
        states = states.float().cpu()
        for line, window in enumerate(missing):
            start = self._corpus.first_token[window]
            self._states[start : start + lengths[line]] = states[line, : lengths[line]].numpy()
            self._teacher[window] = teacher[line]
            self._filled[window] = 1

    def _batch(self, rows: list[int], windows: list[int], device: torch.device) -> Batch:
        first, packed = self._corpus.first_token, [self._corpus.rows[row] for row in rows]
        lengths = [int(first[window + 1] - first[window]) for window in windows]
        states = torch.zeros(len(windows), max(lengths), self._states.shape[1])
        tags = torch.full(states.shape[:2], IGNORED)
        known = [window_tags for row in packed for window_tags in (row.tags or [None] * len(row.windows))]
        for line, window in enumerate(windows):
            states[line, : lengths[line]] = torch.from_numpy(
                self._states[first[window] : first[window + 1]].astype("f4")
            )
            if known[line] is not None:
                tags[line, : lengths[line]] = torch.tensor(known[line])
        return Batch(
            rows=torch.tensor([index for index, row in enumerate(packed) for _ in row.windows]).to(device),
            states=states.to(device),
            mask=_mask(lengths).to(device),
            tags=tags.to(device),
            teacher=torch.from_numpy(self._teacher[windows].astype("f4")).to(device),
            domain=torch.tensor([row.domain for row in packed]).to(device),
            attack=torch.tensor([row.attack for row in packed]).to(device),
            indirect=torch.tensor([row.indirect for row in packed]).to(device),
            weight=torch.tensor([row.weight for row in packed]).to(device),
        )


def _mask(lengths: list[int]) -> Tensor:
    return torch.arange(max(lengths))[None, :] < torch.tensor(lengths)[:, None]


def _file(path: Path, shape: tuple[int, ...], kind: type[np.generic], mode: _Mode) -> NDArray[Any]:
    return np.memmap(path, kind, mode if path.exists() else "w+", shape=shape)
