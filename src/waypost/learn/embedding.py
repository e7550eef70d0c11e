"""Train the embedding alone, for caches and the choice of tools: ``waypost train embedding --data DIR --out DIR``."""

from __future__ import annotations

import hashlib
import time
from random import Random
from typing import Final

from waypost.learn.bundled import base_of, cutter_of, multitask
from waypost.learn.contrast import PairJudge, PairTrainer, corpus_of
from waypost.learn.device import choose_device
from waypost.learn.loop import Bar, Progress, Settings
from waypost.learn.lora import LoraSettings
from waypost.learn.losses import LossWeights
from waypost.learn.pairs import Pairs, development_pairs, training_pairs
from waypost.learn.runs import Run, facts_of, leave, run_directory
from waypost.learn.states import StateCache

__all__ = ["EMBEDDING", "train_embedding"]

EMBEDDING: Final = Settings(rate=2e-4, weights=LossWeights(embedding=2.0, geometry=5.0))
"""Slower than the tasks, and held less: here the embedding is meant to move, but not to forget."""


def train_embedding(
    run: Run, lora: LoraSettings, settings: Settings, progress: Progress, bar: Bar | None = None
) -> None:
    """Read the pairs, fit, and write the artefact with its card and its report. Raises as :func:`.bundled.train`.

    The scores before training stand in ``training.json`` as ``before``.
    """
    start, device = time.monotonic(), choose_device(run.device)
    held = development_pairs(run.data)
    pairs, leaked = training_pairs(run.data, held, Random(settings.seed))  # noqa: S311 - not for secrets
    progress(f"{len(pairs.pairs)} pairs of {len(pairs.texts)} texts; {leaked} rows left out that give away dev texts")
    base = base_of(run.work)
    cutter = cutter_of(base, run.work)
    model = multitask(base, lora, ()).to(device)
    judge, corpus = PairJudge(held, cutter), corpus_of(pairs.texts, cutter)
    work = run.work / run.name / f"from-{lora.from_layer}" / _digest(pairs)[:12]
    width = model.trunk.hidden
    dev, states = StateCache(judge.corpus, width, work / "dev"), StateCache(corpus, width, work / "train")
    # The heads and adapters add nothing yet, so this is the first encoder.
    before = judge.score(model, dev)
    progress("before training dev " + " ".join(f"{name} {value:.4f}" for name, value in before.items()))
    trainer = PairTrainer(model, pairs, corpus, states, settings, run_directory(work, lora, settings), progress, bar)
    history = trainer.run(lambda: judge.score(model, dev))
    data = {"digest": _digest(pairs), "rows": {"pairs": len(pairs.pairs)}, "dev_rows": len(held.texts)}
    facts = facts_of(run.name, data, lora, settings, history)
    facts |= {"before": before, "seconds": round(time.monotonic() - start)}
    leave(model, base, lora, run.out, facts, progress)


def _digest(pairs: Pairs) -> str:
    return hashlib.sha256(repr((pairs.texts, pairs.pairs)).encode("utf-8", "replace")).hexdigest()
