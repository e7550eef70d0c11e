"""Logits to probabilities."""

from __future__ import annotations

import numpy as np

from waypost.inference.architecture import Floats

__all__ = ["log_softmax", "softmax"]


def softmax(logits: Floats, temperature: float = 1.0) -> Floats:
    """Probabilities over the last axis."""
    return np.exp(log_softmax(logits, temperature))


def log_softmax(logits: Floats, temperature: float = 1.0) -> Floats:
    """Logarithms of the probabilities over the last axis."""
    shifted = (logits - logits.max(axis=-1, keepdims=True)) / temperature
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)), np.float32)
