"""What all training has in common: epochs, early stopping, and a state that a stopped run continues from."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import torch
from torch import Tensor

from waypost.learn.losses import LossWeights
from waypost.learn.multitask import MultiTask

__all__ = ["Bar", "History", "Lesson", "Loop", "Progress", "Scores", "Settings"]

Progress: TypeAlias = Callable[[str], None]
"""Takes one line about what happens now."""
Bar: TypeAlias = Callable[[int, int, int], None]
"""Takes the number of the epoch, the steps that are done in it, and the steps that it has."""
Scores: TypeAlias = dict[str, float]


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


class Lesson(Protocol):
    """What is learnt in a step."""

    def batches(self, epoch: int) -> list[list[int]]:
        """The steps of an epoch; the same ones each time that it is asked."""

    def losses(self, batch: list[int]) -> tuple[dict[str, Tensor], int]:
        """The parts of the loss on one of them, and the tokens that were read."""


class Loop:
    """Fits ``model`` by ``lesson``. Everything needed to go on lies in ``directory``."""

    def __init__(
        self,
        model: MultiTask,
        lesson: Lesson,
        settings: Settings,
        directory: Path,
        progress: Progress,
        bar: Bar | None = None,
    ) -> None:
        torch.set_num_threads(settings.threads)
        torch.manual_seed(settings.seed)
        self.model, self.settings, self.directory = model, settings, directory
        self.history = History()
        self._lesson, self._progress, self._bar = lesson, progress, bar
        self._epoch, self._step = 0, 0
        adapters = [value for value in model.trunk.parameters() if value.requires_grad]
        groups = [
            {"params": adapters, "lr": settings.rate},
            {"params": model.heads.parameters(), "lr": settings.head_rate},
        ]
        self._optimizer = torch.optim.AdamW(groups, weight_decay=settings.decay)
        self._steps = sum(len(lesson.batches(epoch)) for epoch in range(settings.epochs))
        self._schedule = torch.optim.lr_scheduler.LambdaLR(self._optimizer, self._warmth)

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
        self._load_weights(_load(self.directory / "best.pt"))
        return self.history

    def _train_epoch(self) -> None:
        batches = self._lesson.batches(self._epoch)
        sums: dict[str, list[float]] = {}
        start, tokens = time.monotonic(), 0
        for batch in batches[self._step :]:
            parts, count = self._learn(batch)
            tokens += count
            self._step += 1
            if self._bar:
                self._bar(self._epoch + 1, self._step, len(batches))
            for name, value in parts.items():
                sums.setdefault(name, []).append(value)
            if self._step % self.settings.save_every == 0 or self._step == len(batches):
                means = {name: sum(values) / len(values) for name, values in sums.items()}
                self.history.losses.append({"epoch": self._epoch, "step": self._step, **means})
                self._report(len(batches), tokens / (time.monotonic() - start), means)
                sums.clear()
                self._save()

    def _learn(self, batch: list[int]) -> tuple[dict[str, float], int]:
        parts, tokens = self._lesson.losses(batch)
        loss: Tensor = self.settings.weights.total(parts)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._trainable().values(), self.settings.clip)
        self._optimizer.step()
        self._schedule.step()
        return {"loss": loss.item(), **{name: value.item() for name, value in parts.items()}}, tokens

    def _report(self, batches: int, speed: float, means: dict[str, float]) -> None:
        figures = " ".join(f"{name} {value:.4f}" for name, value in means.items())
        self._progress(f"epoch {self._epoch + 1} step {self._step}/{batches} {speed:.0f} tok/s {figures}")

    def _warmth(self, step: int) -> float:
        warm = max(1, self._steps // 20)
        if step < warm:
            return (step + 1) / warm
        passed = min(1.0, (step - warm) / max(1, self._steps - warm))
        return 0.02 + 0.49 * (1 + math.cos(math.pi * passed))

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
        state = _load(path)
        self._load_weights(state["weights"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._schedule.load_state_dict(state["schedule"])
        torch.set_rng_state(state["random"])
        self._epoch, self._step = state["epoch"], state["step"]
        self.history = History(**state["history"])
        self._progress(f"going on at epoch {self._epoch + 1}, step {self._step}")


def _save(path: Path, value: Any) -> None:  # noqa: ANN401 - whatever torch can save
    """Write beside, then rename: a run killed while it saves keeps the state before."""
    scratch = path.with_suffix(".new")
    torch.save(value, scratch)
    scratch.replace(path)


def _load(path: Path) -> Any:  # noqa: ANN401 - whatever was saved
    # A run that began on a GPU may go on without one; the model's own device is where values are copied to.
    return torch.load(path, map_location="cpu")
