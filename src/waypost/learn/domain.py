"""Train the domain head: ``python -m waypost.learn.domain --data DIR``.

Takes some ten minutes on two cores, nearly all of it encoding. Writes the head beside the package's other weights.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from waypost.config import schema
from waypost.errors import WaypostError
from waypost.inference.architecture import Floats
from waypost.inference.encoder import Encoder, OnnxEncoder
from waypost.inference.head import BUNDLED, Head
from waypost.inference.prepare import location, prepare
from waypost.learn.examples import Example, Kind, development_examples, training_examples
from waypost.learn.features import encode_all
from waypost.learn.logistic import Sample, calibrate, choose
from waypost.learn.scores import reliability, score

__all__ = ["main", "train"]

_WEIGHTS: dict[Kind, float] = {"exam": 1.0, "exam with options": 1.0, "natural": 2.0, "everyday": 4.0}
"""Exam questions outnumber natural prompts five to one, but natural prompts are what a router sees."""
_SOURCES = ("domain_train.jsonl.gz", "domain_aux_train.jsonl.gz", "everyday.yaml")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m waypost.learn.domain", description="Train the domain head.")
    parser.add_argument("--data", type=Path, required=True, help="directory with domain_{train,dev,aux_train}.jsonl.gz")
    parser.add_argument("--out", type=Path, default=BUNDLED / "domain", help="where the head goes (%(default)s)")
    options = parser.parse_args(arguments)
    try:
        encoder = OnnxEncoder.load(prepare(location(), _say), schema.Encoder(deadline="10m"))
        head, facts = asyncio.run(train(encoder, options.data, _say))
    except WaypostError as error:
        _say(f"error: {error}")
        return error.exit_code
    head.save(options.out, facts)
    _say(f"wrote {options.out}")
    return 0


async def train(encoder: Encoder, data: Path, progress: Callable[[str], None]) -> tuple[Head, dict[str, Any]]:
    """Fit and calibrate the head. Returns it with the facts for its manifest."""
    train_rows, dev_rows = training_examples(data), development_examples(data)
    features = await encode_all(encoder, [row.text for row in (*train_rows, *dev_rows)], progress)
    train_features, dev_features = features[: len(train_rows)], features[len(train_rows) :]
    fitting = _sample(train_rows, train_features, np.array([_WEIGHTS[row.kind] for row in train_rows]))
    judging = _sample(dev_rows, dev_features, _equal_kinds(dev_rows))
    head, strength = choose(fitting, judging, encoder.manifest.recipe, progress)
    head = calibrate(head, judging)
    facts = {
        "data": {"sources": _SOURCES, "rows": Counter(row.kind for row in train_rows)},
        "fit": {"C": strength, "weights": _WEIGHTS, "solver": "lbfgs, deterministic"},
        "dev": score(head, dev_rows, dev_features),
        "reliability": reliability(head, judging),
    }
    return head, facts


def _sample(rows: Sequence[Example], features: Floats, weights: NDArray[np.float64]) -> Sample:
    return Sample(features, [row.label for row in rows], weights)


def _equal_kinds(rows: Sequence[Example]) -> NDArray[np.float64]:
    """Let each kind of text count the same, however many rows it has."""
    counts = Counter(row.kind for row in rows)
    return np.array([1.0 / counts[row.kind] for row in rows])


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - a command's progress


if __name__ == "__main__":
    sys.exit(main())
