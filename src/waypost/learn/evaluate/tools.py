"""Choice of tools: whether those that serve a request are among the best, by the index that serves."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from waypost.inference.architecture import Floats
from waypost.learn.embeddings import embed
from waypost.learn.evaluate.evidence import Evaluation, Evidence, Say
from waypost.learn.metrics import latency, ratio, recall_at
from waypost.learn.served import Served
from waypost.learn.tables import read_table
from waypost.learn.toolset import corpus_beside, corpus_tools, gold_places
from waypost.tools.index import ToolIndex
from waypost.tools.relevance import Relevance

__all__ = ["evaluate_tools"]

_METHOD: Final = "embeddings through a learnt map, joined with BM25"
_DEPTHS: Final = (1, 5, 10)
_THRESHOLD: Final = 0.2
"""The configuration's own default."""


async def evaluate_tools(served: Served, path: Path, say: Say) -> Evaluation:
    """Evaluate on rows with ``text`` and ``gold`` (tool ids), over the tools of ``tools_corpus.jsonl[.gz]`` beside.

    ``cosine`` holds the same figures for the plain cosine of the embeddings, ``unseen`` those of rows marked
    ``unseen_tool``, whose tools no training row names. ``milliseconds`` is what scoring takes beyond embeddings.
    """
    rows = read_table(path, {"text": str, "gold": list})
    tools, places, _ = corpus_tools(corpus_beside(path))
    gold = gold_places(path, rows, places)
    relevance = Relevance.load(served.encoder.manifest.recipe)
    embeddings, _ = await embed(served.encoder, [tool.text for tool in tools], say)
    queries, _ = await embed(served.encoder, [row["text"] for row in rows], say)
    index = ToolIndex.build(tools, embeddings, relevance)
    scores, seconds = _score(index, [row["text"] for row in rows], queries)
    wanted, ids = [row["gold"] for row in rows], list(places)
    ranked, cosine = _ranked(scores, ids), _ranked(queries @ embeddings.T, ids)
    unseen = [number for number, row in enumerate(rows) if row.get("unseen_tool")]
    figures = {
        "task": "tools",
        "method": _METHOD,
        "tools": len(tools),
        **_recall(ranked, wanted, range(len(rows))),
        "threshold": _THRESHOLD,
        "gold_above_threshold": _above(scores, gold),
        "cosine": _recall(cosine, wanted, range(len(rows))),
        "unseen": _recall(ranked, wanted, unseen) | {"cosine": _recall(cosine, wanted, unseen)},
        "milliseconds": latency(seconds),
    }
    return Evaluation(figures, Evidence(seconds=seconds))


def _score(index: ToolIndex, texts: Sequence[str], queries: Floats) -> tuple[Floats, list[float]]:
    scores, seconds = [], []
    for text, query in zip(texts, queries, strict=True):
        start = time.perf_counter()
        scores.append(index.scores(text, query))
        seconds.append(time.perf_counter() - start)
    return np.stack(scores), seconds


def _ranked(scores: Floats, ids: Sequence[str]) -> list[list[str]]:
    places = np.argsort(-scores, axis=1, kind="stable")[:, : max(_DEPTHS)]
    return [[ids[place] for place in line] for line in places.tolist()]


def _recall(ranked: Sequence[Sequence[str]], wanted: Sequence[Sequence[str]], rows: Sequence[int]) -> dict[str, Any]:
    """Measure the recall on some of the rows."""
    found, right = [ranked[row] for row in rows], [wanted[row] for row in rows]
    return {"n": len(rows)} | {f"recall_at_{depth}": recall_at(found, right, depth) for depth in _DEPTHS}


def _above(scores: Floats, gold: Sequence[Sequence[int]]) -> float | None:
    reached = [bool(line[place] >= _THRESHOLD) for line, places in zip(scores, gold, strict=True) for place in places]
    return ratio(sum(reached), len(reached))
