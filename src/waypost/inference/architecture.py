"""The shape of a BERT encoder and its weights, as far as serving and training need to agree on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Architecture", "Floats", "State"]

Floats: TypeAlias = NDArray[np.float32]
State: TypeAlias = dict[str, Floats]
"""Weights in the naming of Hugging Face's ``BertModel``: ``encoder.layer.0.attention.self.query.weight``, …"""


@dataclass(frozen=True, slots=True)
class Architecture:
    """Sizes of a BERT encoder with post-layer-norm blocks and exact GELU."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    """The longest sequence, special tokens included."""
    epsilon: float = 1e-12
    """Of every layer norm."""
