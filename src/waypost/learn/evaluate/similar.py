"""What compares embeddings: the semantic cache and the choice of tools.

Both use the shared encoder's embeddings and their cosine, as these figures say of themselves: the cache's own checks
(numbers, names, polarity) are not part of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from waypost.errors import DataError
from waypost.learn.embeddings import embed
from waypost.learn.evaluate.evidence import Evaluation, Evidence, Say
from waypost.learn.metrics import area_under_curve, groups, latency, ratio, recall_at
from waypost.learn.served import Served
from waypost.learn.tables import read_table
from waypost.learn.thresholds import Trials

__all__ = ["evaluate_cache", "evaluate_tools"]

_METHOD: Final = "cosine of the shared encoder's embeddings"
_SIMILARITY: Final = 0.95
"""Where the figures at one threshold are taken. E5's cosines crowd between 0.7 and 1: less lets everything in."""
_DEPTHS: Final = (1, 5, 10)


async def evaluate_cache(served: Served, path: Path, say: Say) -> Evaluation:
    """Evaluate on pairs ``a``, ``b`` with ``label`` 1 when the answer to a is right for b, else 0.

    ``hit_rate`` is the share of the pairs labelled 1 that are as similar as the threshold, ``wrong_hit_rate`` that
    of the pairs labelled 0.
    """
    rows = read_table(path, {"a": str, "b": str, "label": int})
    left, seconds = await embed(served.encoder, [row["a"] for row in rows], say)
    right, more = await embed(served.encoder, [row["b"] for row in rows], say)
    similarity = (left * right).sum(axis=1, dtype=np.float64)
    same = np.array([row["label"] == 1 for row in rows])
    trials = Trials(similarity[~same], similarity[same], "different", "same")
    wrong = [row["kind"] for row in rows if row.get("kind") and row["label"] != 1]
    flags = [
        bool(hit)
        for row, hit in zip(rows, similarity >= _SIMILARITY, strict=True)
        if row.get("kind") and row["label"] != 1
    ]
    figures = {
        "task": "cache",
        "method": _METHOD,
        "n": len(rows),
        "auc": area_under_curve(similarity.tolist(), same.tolist()),
        "threshold": _SIMILARITY,
        **_rates(trials, _SIMILARITY),
        "wrong_hits_per_kind": groups(wrong, flags, "wrong_hit_rate") if wrong else None,
        "curve": [{"threshold": t, **_rates(trials, t)} for t in np.linspace(0.7, 1, 61).round(3).tolist()],
        "milliseconds": latency([*seconds, *more]),
    }
    return Evaluation(figures, Evidence(trials=trials, seconds=[*seconds, *more]))


async def evaluate_tools(served: Served, path: Path, say: Say) -> Evaluation:
    """Evaluate on rows with ``text`` and ``gold`` (tool ids), over the tools of ``tools_corpus.jsonl[.gz]`` beside."""
    rows = read_table(path, {"text": str, "gold": list})
    tools = read_table(_corpus(path), {"tool_id": str, "name": str, "description": str})
    ids = [tool["tool_id"] for tool in tools]
    unknown = {item for row in rows for item in row["gold"]} - set(ids)
    if unknown or not all(row["gold"] for row in rows):
        raise DataError(f"{path}: a row has no gold tool, or one that is not in the corpus: {sorted(unknown)[:3]}")
    documents, _ = await embed(served.encoder, [f"{tool['name']}: {tool['description']}" for tool in tools], say)
    queries, seconds = await embed(served.encoder, [row["text"] for row in rows], say)
    order = np.argsort(-(queries @ documents.T), axis=1, kind="stable")[:, : max(_DEPTHS)]
    ranked = [[ids[index] for index in line] for line in order.tolist()]
    gold = [row["gold"] for row in rows]
    figures: dict[str, Any] = {"task": "tools", "method": _METHOD, "n": len(rows), "tools": len(tools)}
    figures |= {f"recall_at_{depth}": recall_at(ranked, gold, depth) for depth in _DEPTHS}
    return Evaluation(figures | {"milliseconds": latency(seconds)}, Evidence(seconds=seconds))


def _corpus(path: Path) -> Path:
    for name in ("tools_corpus.jsonl", "tools_corpus.jsonl.gz"):
        if (path.parent / name).exists():
            return path.parent / name
    raise DataError(f"needs tools_corpus.jsonl[.gz] beside {path}: tool_id, name and description of every tool")


def _rates(trials: Trials, threshold: float) -> dict[str, float | None]:
    return {
        "hit_rate": ratio(trials.hits(threshold), len(trials.positives)),
        "wrong_hit_rate": ratio(trials.false_positives(threshold), len(trials.negatives)),
    }
