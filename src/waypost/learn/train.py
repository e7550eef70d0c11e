"""Training of the multi-task model on labelled rows."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from waypost.learn.batches import epoch_batches
from waypost.learn.corpus import UNKNOWN, Corpus
from waypost.learn.labels import ATTACKS, DOMAINS
from waypost.learn.loop import Bar, History, Loop, Progress, Settings
from waypost.learn.losses import losses
from waypost.learn.multitask import MultiTask
from waypost.learn.states import StateCache

__all__ = ["History", "Settings", "Trainer"]


class Trainer(Loop):
    """Fits ``model`` on ``corpus``, on the device where the model is."""

    def __init__(
        self,
        model: MultiTask,
        corpus: Corpus,
        cache: StateCache,
        settings: Settings,
        directory: Path,
        progress: Progress,
        bar: Bar | None = None,
    ) -> None:
        super().__init__(model, _Labels(model, corpus, cache, settings), settings, directory, progress, bar)


class _Labels:
    """What a step teaches: all labels that its rows have."""

    def __init__(self, model: MultiTask, corpus: Corpus, cache: StateCache, settings: Settings) -> None:
        self._model, self._corpus, self._cache, self._settings = model, corpus, cache, settings
        self._class_weights = {name: value.to(model.device) for name, value in _class_weights(corpus).items()}

    def batches(self, epoch: int) -> list[list[int]]:
        return epoch_batches(self._corpus, self._settings.batch_tokens, self._settings.seed, epoch)

    def losses(self, batch: list[int]) -> tuple[dict[str, Tensor], int]:
        loaded = self._cache.load(batch, self._model)
        self._model.train()
        with torch.autocast(self._model.device.type, torch.bfloat16):
            logits, embeddings = self._model(loaded.states, loaded.mask)
        return losses(logits, embeddings, loaded, self._class_weights), loaded.mask.numel()


def _class_weights(corpus: Corpus) -> dict[str, Tensor]:
    """Make rare classes count more, by the square root of their rarity."""
    domains = [row.domain for row in corpus.rows if row.domain != UNKNOWN]
    attacks = [row.attack for row in corpus.rows if row.attack != UNKNOWN]
    return {"domain": _rarity(domains, len(DOMAINS)), "jailbreak": _rarity(attacks, len(ATTACKS))}


def _rarity(labels: list[int], classes: int) -> Tensor:
    counts = torch.bincount(torch.tensor(labels, dtype=torch.long), minlength=classes).clamp(min=1).float()
    weights = counts.rsqrt()
    return weights / (weights * counts).sum() * counts.sum()
