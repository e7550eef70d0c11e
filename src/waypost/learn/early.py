"""Heads that leave the trunk early, for ``profile: fast``.

``python -m waypost.learn.early --data DIR --work DIR --artefact DIR``

They are fitted on the trained trunk cut to its lower layers, which no longer change; the artefact gets them beside its
other heads. The embedding is a linear map of the cut trunk's mean onto the whole trunk's, by ridge regression.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import torch

from waypost.inference.architecture import Floats, State
from waypost.inference.session import EARLY
from waypost.learn import artefact
from waypost.learn.base import Base
from waypost.learn.batches import epoch_batches
from waypost.learn.bundled import BASE_LORA, base_of, cutter_of, pack, rows_of, say, work_of
from waypost.learn.command import reporting
from waypost.learn.corpus import Corpus
from waypost.learn.heads import HEADS, HeadSpec
from waypost.learn.judge import Judge
from waypost.learn.losses import LossWeights
from waypost.learn.multitask import MultiTask
from waypost.learn.states import StateCache
from waypost.learn.train import Settings, Trainer
from waypost.learn.trunk import Trunk, bert

__all__ = ["main"]

_LAYERS: Final = 8
"""Of 12: the price falls with the layers, and below the eighth names and places are lost."""
_READ: Final = (6, 8)
_RIDGE: Final = 1e-3
_MAPPED: Final = 400
"""Batches that the map of embeddings is fitted on."""


@reporting(say)
def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m waypost.learn.early", description="Fit heads for profile fast.")
    parser.add_argument("--data", type=Path, required=True, help="directory with the *_train and *_dev files")
    parser.add_argument("--work", type=Path, required=True, help="the one of the run of waypost.learn.bundled")
    parser.add_argument("--artefact", type=Path, required=True, help="what that run wrote; it gets the heads")
    options = parser.parse_args(arguments)
    _fit(options.data, options.work, options.artefact)


def _fit(data: Path, work: Path, directory: Path) -> None:
    settings = Settings(epochs=3, head_rate=2e-3, weights=LossWeights(embedding=0, geometry=0))
    trained, base = artefact.read(directory), base_of(work)
    cutter = cutter_of(base, work)
    learnt, held_out = rows_of(data, settings.seed, say)
    corpus, judge = Corpus.of(pack(learnt, cutter, settings.seed)), Judge(held_out, cutter)
    frozen = work_of(work, learnt)
    whole, cut = _model(trained.trunk, base, base.architecture.layers), _model(trained.trunk, base, _LAYERS)
    cache = StateCache(corpus, cut.trunk.hidden, frozen / "train", borrowed=True)
    trainer = Trainer(cut, corpus, cache, settings, frozen / "early", say)
    dev = StateCache(judge.corpus, cut.trunk.hidden, frozen / "dev", borrowed=True)
    trainer.run(lambda: judge.score(cut, dev))
    weights = {f"{EARLY}{name}": value for name, value in cut.head_weights().items()}
    weights |= _embedding(whole, cut, cache, epoch_batches(corpus, settings.batch_tokens, settings.seed, 0))
    heads = (*(replace(spec, name=f"{EARLY}{spec.name}") for spec in cut.specs), _EMBEDDING)
    artefact.add_heads(directory, heads, weights)
    say(f"wrote {len(heads)} early heads to {directory}")


_EMBEDDING: Final = HeadSpec(f"{EARLY}embedding", (), (_LAYERS,), ("mean",))


def _model(trunk: State, base: Base, layers: int) -> MultiTask:
    """The trained trunk up to a layer, which learns nothing more, with new heads."""
    shape = replace(base.architecture, layers=layers)
    kept = {name: value for name, value in trunk.items() if _layer(name) < layers}
    model = bert(replace(base, architecture=shape, state=kept))
    model.requires_grad_(False)
    heads = [replace(spec, layers=_READ) for spec in HEADS]
    return MultiTask(Trunk(model, BASE_LORA.from_layer), heads)


def _layer(name: str) -> int:
    """The layer that a tensor belongs to; -1 for the embedding layer's."""
    return int(name.split(".")[2]) if name.startswith("encoder.layer.") else -1


def _embedding(whole: MultiTask, cut: MultiTask, cache: StateCache, batches: Sequence[list[int]]) -> State:
    """Map the mean of the cut trunk's last layer onto the whole trunk's embedding."""
    inputs, targets = [], []
    for rows in batches[:_MAPPED]:
        batch = cache.load(rows, cut)
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            inputs.append(cut.mean(batch.states, batch.mask).float().numpy())
            targets.append(whole.embed(batch.states, batch.mask).float().numpy())
    x, y = np.concatenate(inputs), np.concatenate(targets)
    wide = np.hstack([x, np.ones((len(x), 1), np.float32)]).astype(np.float64)
    penalty = _RIDGE * len(x) * np.eye(wide.shape[1])
    penalty[-1, -1] = 0
    solved: Floats = np.linalg.solve(wide.T @ wide + penalty, wide.T @ y).astype(np.float32)
    near = np.sum((wide @ solved) * y, axis=1) / np.linalg.norm(wide @ solved, axis=1)
    say(f"early embeddings: cosine {near.mean():.4f} to the whole trunk's")
    name = _EMBEDDING.name
    return {f"{name}.weight": np.ascontiguousarray(solved[:-1].T), f"{name}.bias": solved[-1]}


if __name__ == "__main__":
    sys.exit(main())
