"""Fitting the cache's similarity: ``python -m waypost.learn.similarity cache_pairs_train.jsonl.gz``.

To be run again whenever the shared encoder changes.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from waypost.cache.checks import refusal
from waypost.cache.reading import Reading, read
from waypost.cache.similarity import SHIPPED, Similarity, overlap
from waypost.config import schema
from waypost.errors import SetupError
from waypost.learn.embeddings import embed
from waypost.learn.evaluate.similar import read_pairs
from waypost.learn.metrics import Floats
from waypost.learn.served import open_encoder
from waypost.learn.tables import Row
from waypost.learn.thresholds import Budget, Trials, choose_threshold

__all__ = ["fit"]

Flags = NDArray[np.bool_]

_WRONG_HITS: Final = 0.01
"""Budget of the shipped threshold, kept with 95 % confidence."""
_DIGITS: Final = 4


def fit(rows: Sequence[Row], cosines: Floats, recipe: str) -> Similarity:
    """Fit on pairs ``a``, ``b``, ``label`` that no check refuses, and choose the threshold on all of them.

    The sources of the pairs weigh by the root of their number, so that the largest does not decide alone. Raises
    DataError when the pairs are too few to prove the threshold.
    """
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise SetupError("fitting needs scikit-learn; pip install 'waypost[train]'") from error
    pairs = [(read(row["a"]), read(row["b"])) for row in rows]
    same = np.array([row["label"] == 1 for row in rows])
    passed = np.array([refusal(a, b) is None for a, b in pairs])
    measures = np.column_stack([cosines, [overlap(a, b) for a, b in pairs]])
    centre, scale = measures[passed].mean(axis=0), measures[passed].std(axis=0)
    model = LogisticRegression(C=0.3)
    model.fit((measures[passed] - centre) / scale, same[passed], sample_weight=_weights(rows)[passed])
    slopes = model.coef_[0] / scale
    fitted = Similarity(
        intercept=round(float(model.intercept_[0] - slopes @ centre), _DIGITS),
        cosine=round(float(slopes[0]), _DIGITS),
        overlap=round(float(slopes[1]), _DIGITS),
        threshold=0.0,
        recipe=recipe,
    )
    return _with_threshold(fitted, pairs, cosines, same, passed)


def _with_threshold(
    fitted: Similarity,
    pairs: Sequence[tuple[Reading, Reading]],
    cosines: Floats,
    same: Flags,
    passed: Flags,
) -> Similarity:
    scores = np.array([fitted(a, b, float(cosine)) for (a, b), cosine in zip(pairs, cosines, strict=True)])
    scores[~passed] = -np.inf
    choice = choose_threshold(Trials(scores[~same], scores[same], '"label": 0', '"label": 1'), Budget(_WRONG_HITS))
    return Similarity(fitted.intercept, fitted.cosine, fitted.overlap, choice.threshold, fitted.recipe)


def _weights(rows: Sequence[Row]) -> Floats:
    sources = [row.get("source", "") for row in rows]
    count = Counter(sources)
    weights: Floats = np.array([count[source] ** -0.5 for source in sources])
    return weights / float(weights.mean())


async def _main(path: Path) -> None:
    rows = read_pairs(path)
    with open_encoder(schema.Encoder()) as encoder:
        left, _ = await embed(encoder, [row["a"] for row in rows], print)
        right, _ = await embed(encoder, [row["b"] for row in rows], print)
        recipe = encoder.manifest.recipe
    fitted = fit(rows, (left * right).sum(axis=1, dtype=np.float64), recipe)
    fitted.dump(Path(__file__).parents[1] / "cache" / SHIPPED)
    sys.stdout.write(f"{fitted}\n")


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1])))
