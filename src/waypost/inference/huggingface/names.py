"""What our graphs call a tensor: Hugging Face's name without the trunk's prefix, which bare encoders do not have."""

from __future__ import annotations

from typing import Final

from waypost.inference.huggingface.weights import Tensors

__all__ = ["canonical", "renamed"]

_TRUNKS: Final = {"bert": "bert.", "roberta": "roberta.", "xlm-roberta": "roberta.", "modernbert": "model."}
_OLD_NORMS: Final = {".LayerNorm.gamma": ".LayerNorm.weight", ".LayerNorm.beta": ".LayerNorm.bias"}
"""How checkpoints that began in TensorFlow name them."""


def canonical(name: str, architecture: str) -> str:
    """``bert.encoder.layer.0.…`` → ``encoder.layer.0.…``; names of heads stay."""
    name = name.removeprefix(_TRUNKS[architecture])
    old = next((old for old in _OLD_NORMS if name.endswith(old)), None)
    return name.removesuffix(old) + _OLD_NORMS[old] if old else name


def renamed(tensors: Tensors, architecture: str) -> Tensors:
    """Give every tensor its canonical name."""
    return Tensors({canonical(name, architecture): value for name, value in tensors.items()})
