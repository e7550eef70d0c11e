"""Training of the multi-task model: epochs, early stopping, and a state that a stopped run continues from."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from waypost.learn.batches import epoch_batches
from waypost.learn.corpus import UNKNOWN, Corpus
from waypost.learn.labels import ATTACKS, DOMAINS
from waypost.learn.losses import LossWeights, losses
from waypost.learn.multitask import MultiTask
from waypost.learn.states import StateCache

__all__ = ["History", "Settings", "Trainer"]

Scores = dict[str, float]


@dataclass(frozen=True, slots=True)
class Settings:
    """Hyper-parameters. The defaults are those of the bundled model."""

    epochs: int = 3
    patience: int = 2
    """Epochs without a better dev score before training stops."""
    batch_tokens: int = 3072
    """Tokens of a batch, padding included."""
    rate: float = 6e-4
    """Peak learning rate of the adapters; it rises over the first twentieth of the steps, then falls as a cosine."""
    head_rate: float = 1e-3
    decay: float = 0.01
    clip: float = 1.0
    seed: int = 7
    threads: int = 1
    save_every: int = 50
    """Steps between two saved states."""
    weights: LossWeights = field(default_factory=LossWeights)


@dataclass(slots=True)
class History:
    """What happened so far, and what is the best of it."""

    losses: list[dict[str, float]] = field(default_factory=list)
    """Means of every ``save_every`` steps."""
    scores: list[Scores] = field(default_factory=list)
    """Of dev, by epoch."""
    best: float = -math.inf
    best_epoch: int = -1


class Trainer:
    """Fits ``model`` on ``corpus``. Everything needed to go on lies in ``directory``."""

    def __init__(
        self,
        model: MultiTask,
        corpus: Corpus,
        cache: StateCache,
        settings: Settings,
        directory: Path,
        progress: Callable[[str], None],
    ) -> None:
        torch.set_num_threads(settings.threads)
        torch.manual_seed(settings.seed)
        self.model, self.corpus, self.cache, self.settings = model, corpus, cache, settings
        self.directory, self._progress = directory, progress
        self.history = History()
        self._epoch, self._step = 0, 0
        adapters = [value for value in model.trunk.parameters() if value.requires_grad]
        groups = [
            {"params": adapters, "lr": settings.rate},
            {"params": model.heads.parameters(), "lr": settings.head_rate},
        ]
        self._optimizer = torch.optim.AdamW(groups, weight_decay=settings.decay)
        self._steps = self._plan_steps()
        self._schedule = torch.optim.lr_scheduler.LambdaLR(self._optimizer, self._warmth)
        self._class_weights = _class_weights(corpus)

    def run(self, score: Callable[[], Scores]) -> History:
        """Train until the epochs are over or dev gets no better, and leave the best weights in the model.

        ``score`` evaluates the model as it is; its entry ``total`` is what counts.
        """
        self._resume()
        while self._epoch < self.settings.epochs and not self._is_stale():
            self._train_epoch()
            scores = score()
            self.history.scores.append(scores)
            self._progress(f"epoch {self._epoch + 1} dev " + " ".join(f"{k} {v:.4f}" for k, v in scores.items()))
            if scores["total"] > self.history.best:
                self.history.best, self.history.best_epoch = scores["total"], self._epoch
                _save(self.directory / "best.pt", self._weights())
            self._epoch, self._step = self._epoch + 1, 0
            self._save()
        self._load_weights(torch.load(self.directory / "best.pt"))
        return self.history

    def _train_epoch(self) -> None:
        batches = epoch_batches(self.corpus, self.settings.batch_tokens, self.settings.seed, self._epoch)
        sums: dict[str, list[float]] = {}
        start, tokens = time.monotonic(), 0
        for rows in batches[self._step :]:
            parts, count = self._learn(rows)
            tokens += count
            self._step += 1
            for name, value in parts.items():
                sums.setdefault(name, []).append(value)
            if self._step % self.settings.save_every == 0 or self._step == len(batches):
                means = {name: sum(values) / len(values) for name, values in sums.items()}
                self.history.losses.append({"epoch": self._epoch, "step": self._step, **means})
                self._report(len(batches), tokens / (time.monotonic() - start), means)
                sums.clear()
                self._save()

    def _learn(self, rows: list[int]) -> tuple[dict[str, float], int]:
        batch = self.cache.load(rows, self.model)
        self.model.train()
        with torch.autocast("cpu", torch.bfloat16):
            logits, embeddings = self.model(batch.states, batch.mask)
        parts = losses(logits, embeddings, batch, self._class_weights)
        loss: Tensor = self.settings.weights.total(parts)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._trainable().values(), self.settings.clip)
        self._optimizer.step()
        self._schedule.step()
        return {"loss": loss.item(), **{name: value.item() for name, value in parts.items()}}, batch.mask.numel()

    def _report(self, batches: int, speed: float, means: dict[str, float]) -> None:
        figures = " ".join(f"{name} {value:.4f}" for name, value in means.items())
        self._progress(f"epoch {self._epoch + 1} step {self._step}/{batches} {speed:.0f} tok/s {figures}")

    def _warmth(self, step: int) -> float:
        warm = max(1, self._steps // 20)
        if step < warm:
            return (step + 1) / warm
        passed = min(1.0, (step - warm) / max(1, self._steps - warm))
        return 0.02 + 0.49 * (1 + math.cos(math.pi * passed))

    def _plan_steps(self) -> int:
        epochs = range(self.settings.epochs)
        size, seed = self.settings.batch_tokens, self.settings.seed
        return sum(len(epoch_batches(self.corpus, size, seed, epoch)) for epoch in epochs)

    def _is_stale(self) -> bool:
        return bool(self.history.scores) and self._epoch - 1 - self.history.best_epoch >= self.settings.patience

    def _trainable(self) -> dict[str, Tensor]:
        return {name: value for name, value in self.model.named_parameters() if value.requires_grad}

    def _weights(self) -> dict[str, Tensor]:
        return {name: value.detach().clone() for name, value in self._trainable().items()}

    def _load_weights(self, weights: dict[str, Tensor]) -> None:
        with torch.no_grad():
            for name, value in self._trainable().items():
                value.copy_(weights[name])

    def _save(self) -> None:
        state = {
            "weights": self._weights(),
            "optimizer": self._optimizer.state_dict(),
            "schedule": self._schedule.state_dict(),
            "random": torch.get_rng_state(),
            "epoch": self._epoch,
            "step": self._step,
            "settings": asdict(self.settings),
            "history": asdict(self.history),
        }
        _save(self.directory / "last.pt", state)

    def _resume(self) -> None:
        path = self.directory / "last.pt"
        if not path.exists():
            self.directory.mkdir(parents=True, exist_ok=True)
            return
        state = torch.load(path)
        self._load_weights(state["weights"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._schedule.load_state_dict(state["schedule"])
        torch.set_rng_state(state["random"])
        self._epoch, self._step = state["epoch"], state["step"]
        self.history = History(**state["history"])
        self._progress(f"going on at epoch {self._epoch + 1}, step {self._step}")


def _class_weights(corpus: Corpus) -> dict[str, Tensor]:
    """Make rare classes count more, by the square root of their rarity."""
    domains = [row.domain for row in corpus.rows if row.domain != UNKNOWN]
    attacks = [row.attack for row in corpus.rows if row.attack != UNKNOWN]
    return {"domain": _rarity(domains, len(DOMAINS)), "jailbreak": _rarity(attacks, len(ATTACKS))}


def _rarity(labels: list[int], classes: int) -> Tensor:
    counts = torch.bincount(torch.tensor(labels, dtype=torch.long), minlength=classes).clamp(min=1).float()
    weights = counts.rsqrt()
    return weights / (weights * counts).sum() * counts.sum()


def _save(path: Path, value: Any) -> None:  # noqa: ANN401 - whatever torch can save
    """Write beside, then rename: a run killed while it saves keeps the state before."""
    scratch = path.with_suffix(".new")
    torch.save(value, scratch)
    scratch.replace(path)
