"""Fit the domain head anew on the trained trunk: ``python -m waypost.learn.domain --artefact DIR --data DIR``.

The shared run leaves the head good at prompts and short of what the trunk knows about exam questions. Logistic
regression on more depths, with its penalty chosen on dev, finds the rest. It is fitted on what the quantised trunk
says, which is what it will read; the artefact gets the new head in place of the old one.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
from numpy.typing import NDArray

from waypost.inference.encoder import OnnxEncoder
from waypost.learn import artefact
from waypost.learn.command import reporting, say
from waypost.learn.examples import Example, development_examples, training_examples
from waypost.learn.export import export, texts_of
from waypost.learn.features import encode_all
from waypost.learn.heads import HeadSpec
from waypost.learn.labels import DOMAINS
from waypost.learn.logistic import Sample, choose, log_loss
from waypost.learn.served import load_patiently

__all__ = ["WEIGHTS", "equal_kinds", "main"]

WEIGHTS: Final = {"exam": 1.0, "exam with options": 1.0, "natural": 2.0, "everyday": 4.0, "topic": 1.0}
"""Exam questions outnumber natural prompts five to one, but natural prompts are what a router sees."""
_EVERY: Final = 2
"""Layers between two depths that the head reads."""

Say = Callable[[str], None]


@reporting(say)
def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m waypost.learn.domain", description="Fit the domain head anew.")
    parser.add_argument("--artefact", type=Path, required=True, help="directory that training wrote; it gets the head")
    parser.add_argument("--data", type=Path, required=True, help="directory with domain_{train,dev,aux_train}.jsonl.gz")
    options = parser.parse_args(arguments)
    with TemporaryDirectory() as scratch:
        depths = range(_EVERY, artefact.read(options.artefact).config["num_hidden_layers"] + 1, _EVERY)
        texts = list(texts_of(options.data))
        export(options.artefact, Path(scratch), texts, features=depths, progress=say)
        encoder = load_patiently(Path(scratch))
        try:
            asyncio.run(_fit(encoder, options.artefact, options.data, say))
        finally:
            encoder.close()


async def _fit(encoder: OnnxEncoder, directory: Path, data: Path, say: Say) -> None:
    learnt, held_out = training_examples(data), development_examples(data)
    features = await encode_all(encoder, [row.text for row in (*learnt, *held_out)], say)
    fitting = _sample(learnt, features[: len(learnt)], np.array([WEIGHTS[row.kind] for row in learnt]))
    judging = _sample(held_out, features[len(learnt) :], equal_kinds(held_out))
    head, strength = choose(fitting, judging, "", say)
    say(f"C = {strength:g}, log loss {log_loss(head, judging):.4f} on dev")
    columns = [head.labels.index(label) for label in DOMAINS]
    weights = {
        "domain.weight": np.ascontiguousarray(head.weight[:, columns].T, np.float32),
        "domain.bias": np.ascontiguousarray(head.bias[columns], np.float32),
    }
    spec = HeadSpec("domain", DOMAINS, encoder.manifest.feature_layers, ("mean",))
    artefact.add_heads(directory, (spec,), weights)
    say(f"wrote the head to {directory}")


def _sample(rows: Sequence[Example], features: NDArray[np.float32], weights: NDArray[np.float64]) -> Sample:
    return Sample(features, [row.label for row in rows], weights)


def equal_kinds(rows: Sequence[Example]) -> NDArray[np.float64]:
    """Let each kind of text count the same, however many rows it has."""
    counts = Counter(row.kind for row in rows)
    return np.array([1.0 / counts[row.kind] for row in rows])


if __name__ == "__main__":
    sys.exit(main())
