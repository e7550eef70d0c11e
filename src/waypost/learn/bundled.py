"""Train the multi-task model that waypost ships, or some of its tasks: ``waypost train all --data DIR --out DIR``.

A run that was stopped continues where it was when it is started again with the same data, settings and directories.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from waypost.errors import SetupError
from waypost.inference.tokenizer import Tokenizer
from waypost.learn.augment import ANY, DISGUISES, KEEP_LENGTH, Change, shorten
from waypost.learn.base import SOURCES, Base, read_base
from waypost.learn.corpus import Corpus, Cutter, Packed
from waypost.learn.device import choose_device
from waypost.learn.extra import extra_rows
from waypost.learn.heads import HEADS
from waypost.learn.judge import Judge
from waypost.learn.loop import Bar, History, Progress, Settings
from waypost.learn.lora import LoraSettings, adapt
from waypost.learn.multitask import MultiTask
from waypost.learn.rows import Row
from waypost.learn.runs import Run, facts_of, leave, run_directory
from waypost.learn.sources import EMBEDDED, TASKS, development_rows, training_rows
from waypost.learn.splits import find_leaks
from waypost.learn.states import StateCache
from waypost.learn.train import Trainer
from waypost.learn.trunk import Trunk, bert
from waypost.learn.wheels import fetch

__all__ = [
    "BASE_LORA",
    "base_of",
    "cutter_of",
    "editions",
    "multitask",
    "pack",
    "rows_of",
    "say",
    "train",
    "work_of",
]

_FROZEN = 6
BASE_LORA = LoraSettings(from_layer=_FROZEN)
"""Half of the layers learn; see :mod:`waypost.learn.states` for why."""
_HEADS = {"domain": ("domain",), "jailbreak": ("jailbreak", "indirect"), "pii": ("pii",)}
"""The heads of each task."""
_KEPT_WINDOWS = 3
"""Of one training text; an attack is long by its preamble, which three windows show well enough."""
_KEPT_OF_TOPICS = 2
"""Of one with a domain: its ends name the topic."""
_DISGUISED = 160
"""Characters of the longest text that also comes in disguise."""
_CHANGED = 0.4
"""Share of texts that also come in a changed edition."""


def train(run: Run, lora: LoraSettings, settings: Settings, progress: Progress, bar: Bar | None = None) -> None:
    """Read the data, fit, and write the artefact with its card and its report.

    Raises SetupError when the data or the base cannot be read or the device is not there, DataError for malformed rows.
    """
    start, device = time.monotonic(), choose_device(run.device)
    learnt, held_out = rows_of(run.data, settings.seed, progress, run.tasks, run.extra)
    learnt = [row for row in learnt if _teaches(row, run.tasks)]
    base = base_of(run.work)
    cutter = cutter_of(base, run.work)
    model = multitask(base, lora, run.tasks).to(device)
    judge = Judge(held_out, cutter)
    history = _fit(model, learnt, judge, cutter, lora, settings, _work(run, lora, learnt), progress, bar)
    data = {"digest": _digest(learnt), "rows": Counter(row.source for row in learnt), "dev_rows": len(held_out)}
    facts = facts_of(run.name, data, lora, settings, history)
    leave(model, base, lora, run.out, facts | {"seconds": round(time.monotonic() - start)}, progress)


def work_of(directory: Path, rows: Sequence[Row]) -> Path:
    """Where what is kept for a stopped run lies: it belongs to these rows and no others."""
    return directory / _digest(rows)[:12]


def _work(run: Run, lora: LoraSettings, rows: Sequence[Row]) -> Path:
    """Frozen states belong to the layer that they were taken from, too, and those of dev to the tasks judged."""
    tasks = () if run.tasks == TASKS else (run.name,)
    layer = () if lora.from_layer == _FROZEN else (f"from-{lora.from_layer}",)
    return work_of(run.work.joinpath(*tasks, *layer), rows)


def multitask(base: Base, lora: LoraSettings, tasks: Sequence[str]) -> MultiTask:
    """Build the model with the heads of ``tasks``. Raises SetupError when these read a layer that is not kept."""
    heads = [head for head in HEADS for task in tasks if head.name in _HEADS[task]]
    lowest = min((layer for head in heads for layer in head.layers), default=base.architecture.layers - 1)
    if lora.from_layer > lowest:
        raise SetupError(f"--from-layer {lora.from_layer} is too high: {lowest} at most")
    trunk = bert(base)
    return MultiTask(Trunk(trunk, lora.from_layer, adapt(trunk, lora)), heads)


def _fit(
    model: MultiTask,
    rows: Sequence[Row],
    judge: Judge,
    cutter: Cutter,
    lora: LoraSettings,
    settings: Settings,
    work: Path,
    progress: Progress,
    bar: Bar | None,
) -> History:
    corpus = Corpus.of(pack(rows, cutter, settings.seed))
    progress(f"{len(rows)} texts in {len(corpus.rows)} editions, {corpus.tokens} tokens; dev {judge.corpus.tokens}")
    width = model.trunk.hidden
    dev, states = StateCache(judge.corpus, width, work / "dev"), StateCache(corpus, width, work / "train")
    trainer = Trainer(model, corpus, states, settings, run_directory(work, lora, settings), progress, bar)
    return trainer.run(lambda: judge.score(model, dev))


def pack(rows: Sequence[Row], cutter: Cutter, seed: int) -> Iterator[Packed]:
    """Pack every edition of every row. Editions of one row share its number as their group."""
    for number, row in enumerate(rows):
        random = Random(f"{seed} {number}")  # noqa: S311 - not for secrets
        keep = _KEPT_OF_TOPICS if row.domain else _KEPT_WINDOWS
        for edition in editions(row, random):
            yield cutter.pack(edition, number, keep, random)


def editions(row: Row, random: Random) -> Iterator[Row]:
    """Yield the text as it is, and by chance once more as someone in a hurry would have typed it."""
    yield row
    if random.random() < _CHANGED:
        change = random.choice(_changes(row))
        text = change(row.text, random)
        if text != row.text:
            yield replace(row, text=text)


def _teaches(row: Row, tasks: Sequence[str]) -> bool:
    """Tell whether a row has a label for one of the tasks, or is there for the embedding's sake."""
    labels = {"domain": row.domain, "jailbreak": row.attack, "pii": row.spans}
    return row.source in EMBEDDED or any(labels[task] is not None for task in tasks)


def _changes(row: Row) -> Sequence[Change]:
    if row.spans:
        return KEEP_LENGTH
    if row.domain:
        return (*ANY, shorten)
    # A long text is rarely disguised as a whole, and a disguised one takes many times its tokens.
    return (*ANY, *DISGUISES) if len(row.text) < _DISGUISED else ANY


def rows_of(
    data: Path, seed: int, progress: Progress, tasks: Sequence[str] = TASKS, extra: Sequence[Path] = ()
) -> tuple[list[Row], list[Row]]:
    """Read the rows to learn and the rows to judge by. Training rows that give away a dev row are left out.

    Raises SetupError when a file of ``tasks`` is missing, DataError for malformed rows.
    """
    held_out = development_rows(data, tasks)
    learnt = training_rows(data, Random(seed), tasks)  # noqa: S311 - not for secrets
    for path in extra:
        learnt += extra_rows(path)
    leaks = find_leaks((row.text for row in learnt), [row.text for row in held_out])
    leaked = {leak.seen_in for leak in leaks}
    progress(f"{len(leaks)} dev texts have a twin in training; {len(leaked)} training texts left out")
    return [row for row in learnt if row.text not in leaked], held_out


def base_of(work: Path) -> Base:
    """Fetch the base model; ``work`` takes what is downloaded."""
    work.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=work) as directory:
        return read_base(fetch(SOURCES, Path(directory)))


def cutter_of(base: Base, work: Path) -> Cutter:
    """Make the cutter of the base's tokenizer."""
    path = work / "sentencepiece.model"
    path.write_bytes(base.tokenizer)
    return Cutter(Tokenizer(path))


def _digest(rows: Sequence[Row]) -> str:
    digest = hashlib.sha256()
    for row in rows:
        digest.update(repr(row).encode("utf-8", "replace"))
    return digest.hexdigest()


def say(line: str) -> None:
    """Print a line of progress with the time of day."""
    stamp = time.strftime("%H:%M:%S")
    print(f"{stamp} {line}", file=sys.stderr, flush=True)  # noqa: T201 - a command's progress
