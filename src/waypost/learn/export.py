"""From a trained artefact to what ships: ``python -m waypost.learn.export --artefact DIR --data DIR --out DIR``.

The vocabulary is pruned, the graph is fused, smoothed and quantised; the result is held against the trained weights.

``calibration.json`` beside the artefact, ``{HEAD: {"temperature": t, "threshold": p}}``, goes into the manifest.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import lzma
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from waypost.errors import SetupError
from waypost.inference.architecture import Architecture, State
from waypost.inference.manifest import MODEL, TOKENIZER, HeadFacts, Manifest, OverWindows, file_digest
from waypost.inference.quantise import quantise_matrices
from waypost.inference.recipe import OVERLAP, POOLING, PREFIX, WINDOW
from waypost.inference.session import EARLY, Session
from waypost.inference.tokenizer import Tokenizer
from waypost.learn.artefact import Artefact, read
from waypost.learn.base import SOURCES
from waypost.learn.command import reporting, say
from waypost.learn.fused import RANGE, fused_graph
from waypost.learn.gate import Outputs, check, compare
from waypost.learn.heads import HeadSpec
from waypost.learn.prune import choose_pieces, prune_tokenizer
from waypost.learn.smooth import absorb, factors, widest

__all__ = ["PIECES", "export", "main", "texts_of"]

PIECES: Final = 190_000
"""All of Latin, Cyrillic, Han, kana and Hangul, single characters of the rest, and most of Arabic, Hindi and Thai."""
_COMPARED: Final = 400
_WORDS: Final = "embeddings.word_embeddings.weight"
_PLACES: Final = "embeddings.position_embeddings.weight"
_OVER_WINDOWS: Final[dict[str, OverWindows]] = {"jailbreak": "most", "indirect": "worst"}


@dataclass(frozen=True, slots=True, eq=False)
class _Pruned:
    """The artefact with fewer word pieces and no more places than a window has."""

    shape: Architecture
    state: State
    tokenizer: bytes


@reporting(say)
def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m waypost.learn.export", description="Make what ships.")
    parser.add_argument("--artefact", type=Path, required=True, help="directory that training wrote")
    parser.add_argument("--data", type=Path, required=True, help="directory with *.jsonl.gz, to cut and to compare on")
    parser.add_argument("--out", type=Path, required=True, help="where the encoder goes")
    parser.add_argument("--pieces", type=int, default=PIECES, help="size of the vocabulary (%(default)s)")
    options = parser.parse_args(arguments)
    manifest = export(options.artefact, options.out, list(texts_of(options.data)), pieces=options.pieces, progress=say)
    say(f"wrote {options.out}: {manifest.bytes / 1e6:.1f} MB; {json.dumps(manifest.gate)}")


def export(
    source: Path,
    target: Path,
    texts: Sequence[str],
    *,
    pieces: int = PIECES,
    features: Sequence[int] = (),
    progress: Callable[[str], None],
) -> Manifest:
    """Write the encoder of the artefact in ``source`` to ``target`` and return its manifest.

    ``features`` are layers whose means the graph gives out, too, for fitting heads. ``texts`` stay cut as they were;
    some of them are what the result is compared on. Raises SetupError, and writes no manifest, when the artefact is
    incomplete or quantisation changed it too much.
    """
    artefact = read(source)
    pruned = _prune(artefact, texts, pieces)
    progress(f"kept {pruned.shape.vocabulary} of {len(artefact.trunk[_WORDS])} word pieces")
    target.mkdir(parents=True, exist_ok=True)
    (target / TOKENIZER).write_bytes(lzma.compress(pruned.tokenizer, preset=9))
    figures = _quantise(artefact, pruned, target, texts, features, progress)
    check(figures)
    manifest = _describe(source, target, artefact, features, figures)
    manifest.write(target)
    return manifest


def _prune(artefact: Artefact, texts: Sequence[str], pieces: int) -> _Pruned:
    from sentencepiece import SentencePieceProcessor

    found = SentencePieceProcessor(model_proto=artefact.tokenizer).encode(list(texts))
    kept = choose_pieces(artefact.tokenizer, {number for ids in found for number in ids}, pieces)
    places = WINDOW + 2  # the special tokens at both ends
    state = artefact.trunk | {_WORDS: artefact.trunk[_WORDS][kept], _PLACES: artefact.trunk[_PLACES][:places]}
    return _Pruned(_shape(artefact.config, state), state, prune_tokenizer(artefact.tokenizer, kept))


def _shape(config: dict[str, Any], state: State) -> Architecture:
    return Architecture(
        hidden=config["hidden_size"],
        layers=config["num_hidden_layers"],
        heads=config["num_attention_heads"],
        feed_forward=config["intermediate_size"],
        vocabulary=len(state[_WORDS]),
        positions=len(state[_PLACES]),
        epsilon=config["layer_norm_eps"],
    )


def _quantise(
    artefact: Artefact,
    pruned: _Pruned,
    target: Path,
    texts: Sequence[str],
    features: Sequence[int],
    progress: Callable[[str], None],
) -> dict[str, float]:
    """Write the quantised graph and return how near it comes to the exact one, on other texts than it was made with."""
    import onnx

    tokenizer = Tokenizer(target / TOKENIZER)
    with TemporaryDirectory() as directory:
        path = Path(directory) / MODEL
        onnx.save(fused_graph(pruned.state, pruned.shape, artefact.heads, artefact.weights, exact=True), path)
        exact = Session.load(path)
    progress("measuring the ranges of every layer's input")
    ranges = widest(_ranges(exact.run(sequence)) for sequence in _sequences(tokenizer, texts, half=0))
    smoothing = factors(pruned.state, ranges)
    smooth = absorb(pruned.state, smoothing)
    graph = fused_graph(smooth, pruned.shape, artefact.heads, artefact.weights, features=features, smoothing=smoothing)
    quantise_matrices(graph, target / MODEL)
    progress("comparing with full precision")
    held_out, shipped = _sequences(tokenizer, texts, half=1), Session.load(target / MODEL)
    return compare([_answers(exact.run(ids)) for ids in held_out], [shipped.run(ids) for ids in held_out])


def _sequences(tokenizer: Tokenizer, texts: Sequence[str], half: int) -> list[tuple[int, ...]]:
    """One window of each text, of texts spread over all; the two halves share none, if there are two texts."""
    prefix = (tokenizer.first, *tokenizer.tokenize(PREFIX).ids)
    mine = texts[half::2] or texts
    chosen = mine[:: max(1, len(mine) // _COMPARED)][:_COMPARED]
    length = WINDOW + 1 - len(prefix)
    return [(*prefix, *tokenizer.tokenize(text).ids[:length], tokenizer.last) for text in chosen]


def _ranges(outputs: Outputs) -> Outputs:
    return {name.removeprefix(RANGE): value for name, value in outputs.items() if name.startswith(RANGE)}


def _answers(outputs: Outputs) -> Outputs:
    return {name: value for name, value in outputs.items() if not name.startswith(RANGE)}


def _describe(
    source: Path, target: Path, artefact: Artefact, features: Sequence[int], figures: dict[str, float]
) -> Manifest:
    files = {name: file_digest(target / name) for name in (MODEL, TOKENIZER)}
    recipe = (PREFIX, WINDOW, OVERLAP, POOLING, *(file.sha256 for file in files.values()))
    calibration = _calibration(source / "calibration.json")
    return Manifest(
        recipe=hashlib.sha256(json.dumps(recipe).encode()).hexdigest(),
        dimensions=artefact.config["hidden_size"],
        features=artefact.config["hidden_size"] * len(features),
        feature_layers=tuple(features),
        prefix=PREFIX,
        pooling=POOLING,
        engine="onnxruntime, int8 per channel, smoothed, words in 4 bits",
        sources=tuple(asdict(wheel) for wheel in SOURCES),
        files=files,
        heads=tuple(_head(head, calibration.get(head.name, {})) for head in artefact.heads if head.labels),
        training=file_digest(source / "training.json").sha256,
        gate=figures,
    )


def _head(head: HeadSpec, calibration: dict[str, float]) -> HeadFacts:
    over_windows = "spans" if "token" in head.pooling else _OVER_WINDOWS.get(head.name.removeprefix(EARLY), "mean")
    return HeadFacts(head.name, head.labels, over_windows, **calibration)


def _calibration(path: Path) -> dict[str, dict[str, float]]:
    if not path.exists():
        return {}
    try:
        found: dict[str, dict[str, float]] = json.loads(path.read_bytes())
    except ValueError as error:
        raise SetupError(f"{path} is not JSON: {error}") from error
    return {
        name: {key: facts[key] for key in ("temperature", "threshold") if key in facts} for name, facts in found.items()
    }


def texts_of(data: Path) -> Iterator[str]:
    """Yield every text of the files in ``data``. Raises SetupError when there are none."""
    paths = sorted(data.glob("*.jsonl.gz"))
    if not paths:
        raise SetupError(f"no *.jsonl.gz in {data}; --data names the directory that holds the texts")
    for path in paths:
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
            for row in map(json.loads, file):
                yield from (row[key] for key in ("text", "a", "b") if isinstance(row.get(key), str))


if __name__ == "__main__":
    sys.exit(main())
