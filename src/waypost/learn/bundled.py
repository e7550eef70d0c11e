"""Train the bundled multi-task model: ``python -m waypost.learn.bundled --data DIR --out DIR``.

A run that was stopped continues where it was when it is started again with the same directories.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from waypost.errors import WaypostError
from waypost.inference.tokenizer import Tokenizer
from waypost.learn.augment import ANY, KEEP_LENGTH, Change, shorten
from waypost.learn.base import SOURCES, Base, read_base
from waypost.learn.corpus import Corpus, Cutter, Packed
from waypost.learn.heads import HEADS
from waypost.learn.judge import Judge
from waypost.learn.lora import LoraSettings, adapt
from waypost.learn.merge import export
from waypost.learn.multitask import MultiTask
from waypost.learn.rows import Row
from waypost.learn.sources import EMBEDDED, development_rows, training_rows
from waypost.learn.splits import find_leaks
from waypost.learn.states import StateCache
from waypost.learn.train import History, Settings, Trainer
from waypost.learn.trunk import Trunk, bert
from waypost.learn.wheels import fetch

__all__ = ["editions", "main", "train"]

Progress = Callable[[str], None]

_FROZEN = 6
_TASKS = {"domain": ("domain",), "jailbreak": ("jailbreak", "indirect"), "pii": ("pii",)}
"""The heads of each task."""
_KEPT_WINDOWS = 3
"""Of one training text; an attack is long by its preamble, which three windows show well enough."""
_KEPT_OF_TOPICS = 2
"""Of one with a domain: its ends name the topic."""
_CHANGED = 0.4
"""Share of texts that also come in a changed edition."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m waypost.learn.bundled", description="Train the bundled model.")
    parser.add_argument("--data", type=Path, required=True, help="directory with the *_train and *_dev files")
    parser.add_argument("--out", type=Path, required=True, help="where the artefact goes")
    parser.add_argument("--work", type=Path, required=True, help="for what a stopped run needs to go on; 3 GB")
    parser.add_argument("--tasks", nargs="+", choices=tuple(_TASKS), default=tuple(_TASKS), help="all by default")
    parser.add_argument("--epochs", type=int, default=Settings().epochs)
    parser.add_argument("--rank", type=int, default=LoraSettings().rank)
    parser.add_argument("--seed", type=int, default=Settings().seed)
    options = parser.parse_args(arguments)
    lora = LoraSettings(rank=options.rank, alpha=2 * options.rank, from_layer=_FROZEN)
    try:
        train(options, lora, Settings(epochs=options.epochs, seed=options.seed), _say)
    except WaypostError as error:
        _say(f"error: {error}")
        return error.exit_code
    return 0


def train(options: argparse.Namespace, lora: LoraSettings, settings: Settings, progress: Progress) -> None:
    """Read the data, fit, and write the artefact. Raises SetupError when the data or the base cannot be read."""
    start = time.monotonic()
    base = _base(options.work)
    cutter = _cutter(base, options.work)
    learnt, held_out = _rows(options.data, settings.seed, progress)
    learnt = [row for row in learnt if _teaches(row, options.tasks)]
    model = _model(base, lora, options.tasks)
    # What is kept for a stopped run belongs to these rows and no others.
    digest = _digest(learnt)
    history = _fit(model, learnt, Judge(held_out, cutter), cutter, settings, options.work / digest[:12], progress)
    facts = {
        "data": {"digest": digest, "rows": Counter(row.source for row in learnt)},
        "settings": asdict(settings),
        "lora": asdict(lora),
        "seconds": round(time.monotonic() - start),
        **asdict(history),
    }
    export(model, base.tokenizer, lora, options.out, facts)
    progress(f"wrote {options.out}")


def _model(base: Base, lora: LoraSettings, tasks: Sequence[str]) -> MultiTask:
    heads = [head for head in HEADS for task in tasks if head.name in _TASKS[task]]
    trunk = bert(base)
    return MultiTask(Trunk(trunk, lora.from_layer, adapt(trunk, lora)), heads)


def _fit(
    model: MultiTask,
    rows: Sequence[Row],
    judge: Judge,
    cutter: Cutter,
    settings: Settings,
    work: Path,
    progress: Progress,
) -> History:
    corpus = Corpus.of(pack(rows, cutter, settings.seed))
    progress(f"{len(rows)} texts in {len(corpus.rows)} editions, {corpus.tokens} tokens; dev {judge.corpus.tokens}")
    width = model.trunk.hidden
    dev = StateCache(judge.corpus, width, work / "dev")
    trainer = Trainer(model, corpus, StateCache(corpus, width, work / "train"), settings, work / "run", progress)
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
    return (*ANY, shorten) if row.domain else ANY


def _rows(data: Path, seed: int, progress: Progress) -> tuple[list[Row], list[Row]]:
    held_out = development_rows(data)
    learnt = training_rows(data, Random(seed))  # noqa: S311 - not for secrets
    leaks = find_leaks((row.text for row in learnt), [row.text for row in held_out])
    leaked = {leak.seen_in for leak in leaks}
    progress(f"{len(leaks)} dev texts have a twin in training; {len(leaked)} training texts left out")
    return [row for row in learnt if row.text not in leaked], held_out


def _base(work: Path) -> Base:
    work.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=work) as directory:
        return read_base(fetch(SOURCES, Path(directory)))


def _cutter(base: Base, work: Path) -> Cutter:
    path = work / "sentencepiece.model"
    path.write_bytes(base.tokenizer)
    return Cutter(Tokenizer(path))


def _digest(rows: Sequence[Row]) -> str:
    digest = hashlib.sha256()
    for row in rows:
        digest.update(repr(row).encode("utf-8", "replace"))
    return digest.hexdigest()


def _say(line: str) -> None:
    stamp = time.strftime("%H:%M:%S")
    print(f"{stamp} {line}", file=sys.stderr, flush=True)  # noqa: T201 - a command's progress


if __name__ == "__main__":
    sys.exit(main())
