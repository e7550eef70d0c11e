"""How many questions a cache serves, and how many of them wrongly: waypost beside thresholds on the cosine alone.

Pairs of questions are labelled 1 when the answer to one is right for the other. Both use the same embeddings.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from report import table

from waypost.cache.similarity import shipped
from waypost.config import schema
from waypost.learn.embeddings import embed
from waypost.learn.evaluate.similar import compare
from waypost.learn.metrics import Floats
from waypost.learn.served import open_encoder
from waypost.learn.tables import Row, read_table

_PAIRS = Path(__file__).parents[2] / "shared/data/cache_pairs_dev.jsonl.gz"
_WRONG = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, default=_PAIRS, help="rows with a, b, label (%(default)s)")
    parser.add_argument("--png", type=Path, help="draw the curves into this file")
    parser.add_argument("--json", type=Path, help="write the figures into this file")
    options = parser.parse_args()
    rows = read_table(options.pairs, {"a": str, "b": str, "label": int})
    same = np.array([row["label"] == 1 for row in rows])
    scores = asyncio.run(_scores(rows))
    print(f"{options.pairs.name}: {same.sum()} pairs with the same answer, {(~same).sum()} with another\n")
    print(_table(scores, same))
    print(f"\n{_shipped(scores['waypost'], same)}")
    print(f"\n{_kinds(rows, scores['waypost'], same)}")
    if options.png:
        _draw(scores, same, options.png)
    if options.json:
        curves = {name: [_at(score, same, wrong) for wrong in _WRONG] for name, score in scores.items()}
        options.json.write_text(json.dumps({"wrong": _WRONG, "hits": curves}) + "\n")


async def _scores(rows: Sequence[Row]) -> dict[str, Floats]:
    """Scores of each pair; minus infinity for what is refused whatever the threshold."""
    with open_encoder(schema.Encoder()) as encoder:
        left, _ = await embed(encoder, [row["a"] for row in rows], lambda _: None)
        right, _ = await embed(encoder, [row["b"] for row in rows], lambda _: None)
    cosines = (left * right).sum(axis=1, dtype=np.float64)
    found = compare(rows, cosines, shipped())
    refused = np.array([one.refusal is not None for one in found])
    return {
        "cosine": cosines,
        "cosine and checks": np.where(refused, -np.inf, cosines),
        "waypost": np.where(refused, -np.inf, [one.similarity for one in found]),
    }


def _threshold(scores: Floats, same: Floats, wrong: float) -> float:
    """The lowest threshold with at most this share of wrong hits."""
    against = np.sort(scores[~same])[::-1]
    return float(np.nextafter(against[int(wrong * len(against))], np.inf))


def _at(scores: Floats, same: Floats, wrong: float) -> float:
    return float((scores[same] >= _threshold(scores, same, wrong)).mean())


def _table(scores: dict[str, Floats], same: Floats) -> str:
    header = ("Hits where wrong hits are at most", *(f"{wrong:.1%}" for wrong in _WRONG))
    return table(
        header, [(name, *(f"{_at(one, same, wrong):.1%}" for wrong in _WRONG)) for name, one in scores.items()]
    )


def _shipped(scores: Floats, same: Floats) -> str:
    threshold = shipped().threshold
    hits, wrong = (scores[same] >= threshold).mean(), (scores[~same] >= threshold).mean()
    return f"At the shipped threshold, {threshold:g}: hits {hits:.1%}, wrong hits {wrong:.2%}."


def _kinds(rows: Sequence[Row], scores: Floats, same: Floats) -> str:
    kinds = np.array([row.get("kind", "") for row in rows])
    served = scores >= shipped().threshold
    lines = []
    for kind in dict.fromkeys(kinds.tolist()):
        mine = kinds == kind
        label = "same" if same[mine].all() else "other"
        lines.append((kind, label, str(mine.sum()), f"{served[mine].mean():.1%}"))
    return table(("Pairs", "answer", "number", "served"), lines)


def _draw(scores: dict[str, Floats], same: Floats, path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    wrong = np.linspace(0, 0.1, 201)
    for name, score in scores.items():
        axes.plot(wrong * 100, [_at(score, same, rate) * 100 for rate in wrong], label=name)
    axes.axvline(1, color="0.7", linewidth=1, linestyle="--")
    axes.set(xlabel="wrong hits, % of pairs with another answer", ylabel="hits, % of pairs with the same answer")
    axes.set(xlim=(0, 10), ylim=(0, 100), title="What a cache serves at a given share of wrong hits")
    axes.legend(loc="upper left")
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
