"""The semantic cache on pairs of questions, by the code that serves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from waypost.cache.match import Match, match, readable
from waypost.cache.similarity import Similarity, shipped
from waypost.errors import DataError
from waypost.learn.embeddings import embed
from waypost.learn.evaluate.evidence import Evaluation, Evidence, Say
from waypost.learn.metrics import Floats, area_under_curve, groups, latency, ratio
from waypost.learn.served import Served
from waypost.learn.tables import Row, read_table
from waypost.learn.thresholds import Trials

__all__ = ["compare", "evaluate_cache", "read_pairs"]

_METHOD: Final = "cosine and common terms in a logistic model, then checks"
_LABELS: Final = {0: 0, 1: 1, "0": 0, "1": 1}
"""A CSV has text only."""
_REFUSED: Final = -np.inf
"""Score of a pair that is refused whatever the threshold."""


async def evaluate_cache(served: Served, path: Path, say: Say) -> Evaluation:
    """Evaluate on pairs ``a``, ``b`` with ``label`` 1 when the answer to a is right for b, else 0.

    ``hit_rate`` is the share of the pairs labelled 1 that the cache serves at the shipped threshold,
    ``wrong_hit_rate`` that of the pairs labelled 0.
    """
    rows = read_pairs(path)
    left, seconds = await embed(served.encoder, [row["a"] for row in rows], say)
    right, more = await embed(served.encoder, [row["b"] for row in rows], say)
    similarity = shipped()
    if similarity.recipe != served.encoder.manifest.recipe:
        say("the cache's similarity was fitted for another encoder; run python -m waypost.learn.similarity")
    found = compare(rows, (left * right).sum(axis=1, dtype=np.float64), similarity)
    scores = np.array([one.similarity if one.refusal is None else _REFUSED for one in found])
    same = np.array([row["label"] == 1 for row in rows])
    trials = Trials(scores[~same], scores[same], '"label": 0', '"label": 1')
    figures = {
        "task": "cache",
        "method": _METHOD,
        "n": len(rows),
        "auc": area_under_curve(scores.tolist(), same.tolist()),
        "threshold": similarity.threshold,
        **_rates(trials, similarity.threshold),
        "wrong_hits_per_kind": _wrong_hits(rows, scores >= similarity.threshold),
        "refusals": _refusals(found, rows),
        "curve": [{"threshold": t, **_rates(trials, t)} for t in np.linspace(0.5, 1, 51).round(2).tolist()],
        "milliseconds": latency([*seconds, *more]),
    }
    return Evaluation(figures, Evidence(trials=trials, seconds=[*seconds, *more]))


def read_pairs(path: Path) -> list[Row]:
    """Read pairs ``a``, ``b`` with ``label`` 0 or 1. Raises DataError."""
    rows = read_table(path, {"a": str, "b": str})
    for number, row in enumerate(rows, 1):
        label = row.get("label")
        if not isinstance(label, int | str) or label not in _LABELS:
            raise DataError(
                f"{path}: row {number} needs 'label': 1 when the answer to a is right for b, 0 when it is not"
            )
        row["label"] = _LABELS[label]
    return rows


def compare(rows: Sequence[Row], cosines: Floats, similarity: Similarity) -> list[Match]:
    """Compare ``a`` and ``b`` of each row as the cache would, at the threshold 0."""
    return [_compare(row["a"], row["b"], float(cosine), similarity) for row, cosine in zip(rows, cosines, strict=True)]


def _compare(a: str, b: str, cosine: float, similarity: Similarity) -> Match:
    left, right = readable(a), readable(b)
    if isinstance(left, str):
        return Match(0.0, left)
    return Match(0.0, right) if isinstance(right, str) else match(left, right, cosine, similarity, 0.0)


def _wrong_hits(rows: Sequence[Row], hits: NDArray[np.bool_]) -> dict[str, Any] | None:
    wrong = [(row["kind"], bool(hit)) for row, hit in zip(rows, hits, strict=True) if _is_wrong(row)]
    return groups([kind for kind, _ in wrong], [hit for _, hit in wrong], "wrong_hit_rate") if wrong else None


def _is_wrong(row: Row) -> bool:
    return bool(row.get("kind")) and row["label"] != 1


def _refusals(found: Sequence[Match], rows: Sequence[Row]) -> dict[str, dict[str, int]]:
    """Count, by reason, how many pairs of each label were refused."""
    counts = Counter((str(one.refusal), row["label"] == 1) for one, row in zip(found, rows, strict=True) if one.refusal)
    reasons = sorted({reason for reason, _ in counts})
    return {reason: {"different": counts[reason, False], "same": counts[reason, True]} for reason in reasons}


def _rates(trials: Trials, threshold: float) -> dict[str, float | None]:
    return {
        "hit_rate": ratio(trials.hits(threshold), len(trials.positives)),
        "wrong_hit_rate": ratio(trials.false_positives(threshold), len(trials.negatives)),
    }
