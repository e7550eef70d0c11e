"""Fit the choice of tools: ``python -m waypost.learn.tools --data DIR``.

Embeds 17,000 texts (some two minutes of CPU) and fits in seconds; writes one file into waypost.tools. The encoder's
profile ``fast`` has a file of its own: ``--profile fast``.
The embeddings are kept for the next run with the same encoder. Needs torch.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from waypost.config import schema
from waypost.inference.architecture import Floats
from waypost.inference.encoder import Encoder, OnnxEncoder
from waypost.inference.manifest import SHIPPED
from waypost.inference.once import home
from waypost.learn.command import reporting, say
from waypost.learn.relevance import Sample, calibrate, fit
from waypost.learn.tables import read_table
from waypost.learn.toolset import corpus_tools, gold_places
from waypost.tools.lexical import Background, LexicalIndex, document, query_terms
from waypost.tools.relevance import Relevance, bundled
from waypost.tools.vectors import embed_kept

__all__ = ["main", "train"]

Say = Callable[[str], None]
_PROFILES: Final = ("balanced", "fast")
"""``quality`` takes the weights of ``balanced``."""


@reporting(say)
def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m waypost.learn.tools", description="Fit the choice of tools.")
    parser.add_argument("--data", type=Path, required=True, help="directory with tools_{train,dev,corpus}.jsonl.gz")
    parser.add_argument("--encoder", type=Path, default=SHIPPED, help="directory of the encoder (%(default)s)")
    parser.add_argument("--profile", choices=_PROFILES, default="balanced", help="%(default)s, if not said")
    parser.add_argument("--out", type=Path, help="where the result goes (into waypost.tools, by the profile)")
    options = parser.parse_args(arguments)
    encoder = OnnxEncoder.load(options.encoder, schema.Encoder(profile=options.profile, deadline="10m"))
    relevance = asyncio.run(train(encoder, options.data, say))
    out = options.out or bundled(relevance.recipe)
    relevance.save(out)
    say(f"wrote {out} ({out.stat().st_size / 1000:.0f} kB)")


async def train(encoder: Encoder, data: Path, say: Say) -> Relevance:
    """Fit on the train rows, and let the dev rows say what a score means."""
    tools, places, sources = corpus_tools(data / "tools_corpus.jsonl.gz")
    background = Background.of([document(tool) for tool in tools])
    words = LexicalIndex(tools, background)
    tool_vectors = await _embed(encoder, [tool.text for tool in tools], "corpus", say)

    async def sample(split: str) -> Sample:
        path = data / f"tools_{split}.jsonl.gz"
        rows = read_table(path, {"text": str, "gold": list, "source": str})
        queries = await _embed(encoder, [row["text"] for row in rows], split, say)
        return Sample(
            queries,
            tool_vectors,
            [words.scores(query_terms(row["text"])) for row in rows],
            gold_places(path, rows, places),
            [row["source"] for row in rows],
            sources,
        )

    relevance = fit(await sample("train"), encoder.manifest.recipe, background, say)
    return calibrate(relevance, await sample("dev"), say)


async def _embed(encoder: Encoder, texts: Sequence[str], name: str, say: Say) -> Floats:
    say(f"embedding {len(texts)} texts ({name})")
    digest, plus, profile = encoder.manifest.recipe.partition("+")
    kept = home() / "learn" / f"tools-{name}-{digest[:12]}{plus}{profile}.npz"
    return await embed_kept(encoder, texts, kept)


if __name__ == "__main__":
    sys.exit(main())
