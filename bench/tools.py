"""How often the right tools are among the best, and what choosing costs: the parts of the score, side by side.

Embeddings are kept between runs (WAYPOST_HOME); the first takes some seven milliseconds a text.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from time import thread_time
from typing import Final

import numpy as np
from processes import ForeignLoad
from report import arguments, publish, table

from waypost.config import schema
from waypost.inference.architecture import Floats
from waypost.inference.encoder import OnnxEncoder
from waypost.inference.manifest import SHIPPED
from waypost.inference.once import home
from waypost.learn.tables import read_table
from waypost.learn.toolset import corpus_tools, gold_places
from waypost.tools.index import ToolIndex
from waypost.tools.lexical import LexicalIndex, query_terms
from waypost.tools.relevance import Relevance
from waypost.tools.vectors import embed_kept

_DATA: Final = Path(__file__).parents[2] / "shared/data"
_DEPTHS: Final = (1, 5, 10)
_HOW: Final = (
    "{requests:,} requests over {tools:,} tools; milliseconds are CPU time of a choice, beyond the request's own "
    "embedding, which routing shares. *Unseen tools*: the {unseen:,} requests for tools that nothing was fitted on. "
    "Centred embeddings and words: with the weight of the words that does best on these very rows."
)
Scorer = Callable[[str, Floats], Floats]


@dataclass(frozen=True, slots=True, eq=False)
class Requests:
    """``unseen``: the rows whose tools nothing was fitted on."""

    texts: Sequence[str]
    queries: Floats
    gold: Sequence[Sequence[int]]
    unseen: Sequence[int]


def recall(ranked: Sequence[Sequence[int]], gold: Sequence[Sequence[int]], depth: int) -> float:
    shares = [len(set(line[:depth]) & set(right)) / len(right) for line, right in zip(ranked, gold, strict=True)]
    return float(np.mean(shares))


def scorers(tools: ToolIndex, embeddings: Floats, relevance: Relevance) -> dict[str, Scorer]:
    words = LexicalIndex(tools.tools, relevance.background)
    centred = embeddings - relevance.tool_mean

    def joined(text: str, query: Floats) -> Floats:
        # The weight that does best on the same rows: the map meets its strongest rival.
        scores: Floats = centred @ (query - relevance.query_mean) + 0.005 * words.scores(query_terms(text))
        return scores

    return {
        "cosine of the embeddings": lambda _, query: embeddings @ query,
        "words (BM25)": lambda text, _: words.scores(query_terms(text)),
        "centred embeddings and words": joined,
        "waypost: learnt map and words": tools.scores,
    }


@dataclass(frozen=True, slots=True)
class Sample:
    """What one score finds. ``recall``: by depth; the last is that of unseen tools. Times are in ms."""

    score: str
    recall: dict[str, float]
    p50: float
    p99: float
    foreign: float


def sample(name: str, score: Scorer, requests: Requests, foreign: ForeignLoad) -> Sample:
    took, ranked = [], []
    for text, query in zip(requests.texts, requests.queries, strict=True):
        began = thread_time()
        scores = score(text, query)
        took.append((thread_time() - began) * 1000)
        ranked.append(np.argsort(-scores, kind="stable")[: max(_DEPTHS)].tolist())
    gold, unseen = requests.gold, requests.unseen
    figures = {f"recall@{depth}": recall(ranked, gold, depth) for depth in _DEPTHS}
    figures["recall@5, unseen tools"] = recall([ranked[row] for row in unseen], [gold[row] for row in unseen], 5)
    shares = quantiles(took, n=100)
    return Sample(name, figures, shares[49], shares[98], foreign.lap())


async def measure(data: Path) -> tuple[list[Sample], str]:
    encoder = OnnxEncoder.load(SHIPPED, schema.Encoder(deadline="10m"))
    recipe = encoder.manifest.recipe
    tools, places, _ = corpus_tools(data / "tools_corpus.jsonl.gz")
    rows = read_table(data / "tools_dev.jsonl.gz", {"text": str, "gold": list})
    gold = gold_places(data / "tools_dev.jsonl.gz", rows, places)
    texts = [row["text"] for row in rows]
    unseen = [number for number, row in enumerate(rows) if row["unseen_tool"]]
    kept = home() / "learn"
    embeddings = await embed_kept(encoder, [tool.text for tool in tools], kept / f"tools-corpus-{recipe[:12]}.npz")
    queries = await embed_kept(encoder, texts, kept / f"tools-dev-{recipe[:12]}.npz")
    encoder.close()
    relevance = Relevance.load(recipe)
    index = ToolIndex.build(tools, embeddings, relevance)
    found = scorers(index, embeddings, relevance).items()
    requests, foreign = Requests(texts, queries, gold, unseen), ForeignLoad()
    how = _HOW.format(requests=len(rows), tools=len(tools), unseen=len(unseen))
    return [sample(name, score, requests, foreign) for name, score in found], how


def main() -> None:
    parser = arguments(__doc__, rounds=None)
    parser.add_argument("--data", type=Path, default=_DATA, help="has tools_{dev,corpus}.jsonl.gz (%(default)s)")
    options = parser.parse_args()
    samples, how = asyncio.run(measure(options.data))
    header = ["score", *samples[0].recall, "p50 ms", "p99 ms"]
    rows = [
        (one.score, *(f"{share:.3f}" for share in one.recall.values()), f"{one.p50:.2f}", f"{one.p99:.2f}")
        for one in samples
    ]
    publish("tools", how, [table(header, rows)], samples, options)


if __name__ == "__main__":
    main()
