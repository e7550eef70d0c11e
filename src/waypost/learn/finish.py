"""The last steps before weights ship: ``python -m waypost.learn.finish --encoder DIR --data DIR``.

Fits the lexicon on the exported tokenizer, then chooses its share and every temperature and threshold on dev rows, as
serving answers them; the manifest in the directory is written anew. Running it twice changes nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from waypost.config import schema
from waypost.inference.architecture import Floats
from waypost.inference.lexicon import LEXICON, Lexicon
from waypost.inference.manifest import TOKENIZER, HeadFacts, Manifest, file_digest
from waypost.inference.tokenizer import Tokenizer
from waypost.learn.command import reporting, say
from waypost.learn.domain import WEIGHTS, equal_kinds
from waypost.learn.evaluate.attacks import evaluate_jailbreak
from waypost.learn.examples import Example, development_examples, training_examples
from waypost.learn.lexicon import fit_lexicon, mix
from waypost.learn.served import Served, load_patiently

__all__ = ["calibrate_attacks", "finish", "main"]

_FALSE_ALARMS: Final = 0.01
"""Share of harmless dev rows that the shipped threshold of ``jailbreak`` may stop."""

Say = Callable[[str], None]


@reporting(say)
def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m waypost.learn.finish", description="Calibrate what ships.")
    parser.add_argument("--encoder", type=Path, required=True, help="directory that waypost.learn.export wrote")
    parser.add_argument("--data", type=Path, required=True, help="directory with the *_train and *_dev files")
    options = parser.parse_args(arguments)
    asyncio.run(finish(options.encoder, options.data, say))


async def finish(directory: Path, data: Path, say: Say) -> None:
    """Write the lexicon and the calibrated manifest. Raises SetupError or DataError when something is missing."""
    _plain(directory).write(directory)
    await _domain(directory, data, say)
    await calibrate_attacks(directory, data, say)


def _plain(directory: Path) -> Manifest:
    """The manifest as export wrote it."""
    manifest = Manifest.read(directory)
    (directory / LEXICON).unlink(missing_ok=True)
    files = {name: digest for name, digest in manifest.files.items() if name != LEXICON}
    heads = tuple(replace(head, temperature=1.0, threshold=0.5) for head in manifest.heads)
    return replace(manifest, files=files, heads=heads)


async def _domain(directory: Path, data: Path, say: Say) -> None:
    """Fit the lexicon; weigh it against the encoder by log loss, each kind of dev text counting the same."""
    manifest, tokenizer = Manifest.read(directory), Tokenizer(directory / TOKENIZER)
    head = _head(manifest, "domain")
    lexicon = _fit(tokenizer, head.labels, data)
    rows = development_examples(data)
    encoder = await _encode(directory, rows, head, say)
    words = np.stack([lexicon.logits(tokenizer, row.text) for row in rows])
    truth = np.array([head.labels.index(row.label) for row in rows])
    share, temperature = mix(encoder, words, truth, equal_kinds(rows))
    mixed = encoder + np.float32(share) * words
    for name, logits in (("encoder", encoder), ("words", words), ("both", mixed)):
        say(f"{name}: {_accuracy(logits, truth, rows)}")
    say(f"the words' share is {share:g}, the temperature {temperature:.3f}")
    scaled = replace(lexicon, scale=lexicon.scale * np.float32(share), bias=lexicon.bias * np.float32(share))
    scaled.save(directory)
    files = {**manifest.files, LEXICON: file_digest(directory / LEXICON)}
    replace(_with(manifest, replace(head, temperature=round(temperature, 3))), files=files).write(directory)


def _fit(tokenizer: Tokenizer, labels: tuple[str, ...], data: Path) -> Lexicon:
    rows = training_examples(data)
    weights = np.array([WEIGHTS[row.kind] for row in rows])
    return fit_lexicon(tokenizer, [row.text for row in rows], [row.label for row in rows], weights, labels)


async def _encode(directory: Path, rows: Sequence[Example], head: HeadFacts, say: Say) -> Floats:
    """Logarithms of the head's probabilities, row by row."""
    say(f"reading {len(rows)} dev texts")
    encoder = load_patiently(directory)
    try:
        answers = [(await encoder.encode(row.text)).probabilities[head.name] for row in rows]
    finally:
        encoder.close()
    chances = [[answer[label] for label in head.labels] for answer in answers]
    return np.asarray(np.log(np.array(chances, np.float32) + 1e-9), np.float32)


def _accuracy(logits: Floats, truth: NDArray[np.int64], rows: Sequence[Example]) -> str:
    right = logits.argmax(axis=1) == truth
    kinds = sorted({row.kind for row in rows})
    return ", ".join(f"{kind} {right[[row.kind == kind for row in rows]].mean():.3f}" for kind in kinds)


async def calibrate_attacks(directory: Path, data: Path, say: Say) -> None:
    """Take the lowest threshold that stops no more of the harmless dev rows than it may."""
    manifest, encoder = Manifest.read(directory), load_patiently(directory)
    try:
        served = Served(encoder, schema.Classifiers(), schema.Encoder())
        found = await evaluate_jailbreak(served, data / "jailbreak_dev.jsonl.gz", say)
    finally:
        encoder.close()
    trials = found.evidence.trials
    if trials is None:
        return
    allowed = int(_FALSE_ALARMS * len(trials.negatives))
    threshold = float(np.ceil(np.sort(trials.negatives)[::-1][allowed] * 1000 + 0.5) / 1000)
    say(f"jailbreak ≥ {threshold:g} stops {trials.false_positives(threshold)} of {len(trials.negatives)} harmless")
    say(f"rows and finds {trials.hits(threshold)} of {len(trials.positives)} attacks")
    _with(manifest, replace(_head(manifest, "jailbreak"), threshold=threshold)).write(directory)


def _head(manifest: Manifest, name: str) -> HeadFacts:
    head = manifest.head(name)
    if head is None:
        raise ValueError(f"the export has no head {name}")
    return head


def _with(manifest: Manifest, head: HeadFacts) -> Manifest:
    return replace(manifest, heads=tuple(head if old.name == head.name else old for old in manifest.heads))


if __name__ == "__main__":
    sys.exit(main())
