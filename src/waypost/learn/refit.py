"""Fits the heads for attacks anew on an export: ``python -m waypost.learn.refit --encoder DIR --data DIR``.

For when the training rows have grown and a whole run would be too much: the trunk stays as it is. The new heads are
kept near the old ones by a penalty on the difference, so that what these had learnt from other editions of the rows is
not lost; then the threshold is chosen anew. Nothing else of the export changes.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, Final

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from waypost.inference.architecture import Floats
from waypost.inference.manifest import TOKENIZER, Manifest, file_digest
from waypost.inference.recipe import OVERLAP, PREFIX, WINDOW
from waypost.inference.session import EARLY, Session
from waypost.inference.softmax import softmax
from waypost.inference.tokenizer import Tokenizer
from waypost.inference.windows import plan_windows
from waypost.learn.command import reporting, say
from waypost.learn.finish import calibrate_attacks
from waypost.learn.labels import ATTACKS
from waypost.learn.rows import Row
from waypost.learn.sources import training_rows

__all__ = ["main", "refit"]

_GRAPH: Final = "encoder.onnx"
_HEADS: Final = ("jailbreak", f"{EARLY}jailbreak")
_PENALTY: Final = 0.1
"""On the squared difference of standardised weights; chosen on dev rows."""
_TAUGHT: Final = frozenset({"own-attacks", "own-instructions", "documents", "quotes", "everyday"})
_EACH_OTHER: Final = 600
"""Harmless rows of a source that is not about attacks; of the others all."""
_SEED: Final = 7
_THREADS: Final = 2

Say = Callable[[str], None]
_Fitted = tuple[Floats, Floats]


@reporting(say)
def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m waypost.learn.refit", description="Fit the heads for attacks.")
    parser.add_argument("--encoder", type=Path, required=True, help="directory that waypost.learn.export wrote")
    parser.add_argument("--data", type=Path, required=True, help="directory with the *_train and *_dev files")
    options = parser.parse_args(arguments)
    refit(options.encoder, options.data, say)
    asyncio.run(calibrate_attacks(options.encoder, options.data, say))


def refit(directory: Path, data: Path, say: Say) -> None:
    """Replace the weights of the heads in the graph. Raises SetupError or DataError when data is missing or wrong."""
    rows = list(_chosen(training_rows(data, Random(_SEED))))  # noqa: S311 - not for secrets
    graph = onnx.load(directory / _GRAPH)
    say(f"reading {len(rows)} texts")
    features = _Reader(directory, graph).read([row.text for row in rows])
    tensors = {tensor.name: tensor for tensor in graph.graph.initializer}
    for name, seen in zip(_HEADS, zip(*features, strict=True), strict=True):
        old = (numpy_helper.to_array(tensors[f"{name}.weight"]), numpy_helper.to_array(tensors[f"{name}.bias"]))
        for part, value in zip(("weight", "bias"), _fit(old, rows, seen), strict=True):
            tensors[f"{name}.{part}"].CopyFrom(numpy_helper.from_array(value, f"{name}.{part}"))
        say(f"fitted {name}")
    onnx.save(graph, directory / _GRAPH)
    manifest = Manifest.read(directory)
    files = {**manifest.files, _GRAPH: file_digest(directory / _GRAPH)}
    replace(manifest, files=files).write(directory)


def _chosen(rows: Sequence[Row]) -> Iterator[Row]:
    """All attacks, all that may be taken for one, and some of everything else."""
    about = _TAUGHT | {row.source for row in rows if row.attack not in (None, "benign")}
    taken: dict[str, int] = defaultdict(int)
    for row in rows:
        if row.attack is None:
            continue
        taken[row.source] += 1
        if row.source in about or taken[row.source] <= _EACH_OTHER:
            yield row


class _Reader:
    """Gives what the heads see of a text: one array[windows, features] for each head."""

    def __init__(self, directory: Path, graph: Any) -> None:  # noqa: ANN401 - a protobuf of onnx
        seen = [_input_of(graph, f"{name}.weight") for name in _HEADS]
        inner = onnx.ModelProto()
        inner.CopyFrom(graph)
        del inner.graph.output[:]
        for name in seen:
            inner.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
        self._session = Session.load(directory / _GRAPH, inner.SerializeToString())
        self._names = seen
        self._tokenizer = Tokenizer(directory / TOKENIZER)
        self._prefix = (self._tokenizer.first, *self._tokenizer.tokenize(PREFIX).ids)

    def read(self, texts: Sequence[str]) -> list[tuple[Floats, ...]]:
        with ThreadPoolExecutor(_THREADS) as pool:
            return list(pool.map(self._read, texts))

    def _read(self, text: str) -> tuple[Floats, ...]:
        tokens = self._tokenizer.tokenize(text)
        size = WINDOW + 1 - len(self._prefix)
        windows = plan_windows(len(tokens), size=size, overlap=OVERLAP, cap=64).windows
        found = []
        for window in dict.fromkeys((windows[0], windows[-1])):
            ids = (*self._prefix, *tokens.ids[window.start : window.stop], self._tokenizer.last)
            outputs = self._session.run(ids)
            found.append([outputs[name] for name in self._names])
        return tuple(np.stack(column) for column in zip(*found, strict=True))


def _input_of(graph: Any, weight: str) -> str:  # noqa: ANN401
    (node,) = (node for node in graph.graph.node if weight in node.input)
    name: str = node.input[0]
    return name


def _fit(old: _Fitted, rows: Sequence[Row], seen: Sequence[Floats]) -> _Fitted:
    """Minimise the weighted log loss with a penalty on the way from the old weights (L-BFGS)."""
    inputs, labels, weights = [], [], []
    for row, windows in zip(rows, seen, strict=True):
        label = ATTACKS.index(str(row.attack))
        # An attack need not show in every window, but in one.
        shown = windows[[softmax(windows @ old[0].T + old[1])[:, 1:].sum(axis=1).argmax()]] if label else windows
        inputs.append(shown)
        labels += [label] * len(shown)
        weights += [row.weight / len(shown)] * len(shown)
    x, y, w = torch.tensor(np.concatenate(inputs)), torch.tensor(labels), torch.tensor(weights)
    mean, deviation = x.mean(0), x.std(0) + 1e-3
    base = x @ torch.tensor(old[0]).T + torch.tensor(old[1])
    change = torch.zeros_like(torch.tensor(old[0]), requires_grad=True)
    shift = torch.zeros(len(ATTACKS), requires_grad=True)
    x = (x - mean) / deviation
    optimiser = torch.optim.LBFGS([change, shift], max_iter=200, history_size=20, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        losses = torch.nn.functional.cross_entropy(base + x @ change.T + shift, y, reduction="none")
        loss = (w * losses).sum() / w.sum() + _PENALTY * (change**2).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    way = (change / deviation).detach()
    bias = old[1] + (shift - way @ mean).detach().numpy()
    return (old[0] + way.numpy()).astype(np.float32), bias.astype(np.float32)


if __name__ == "__main__":
    sys.exit(main())
