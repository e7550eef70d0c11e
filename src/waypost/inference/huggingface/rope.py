"""Rotary positions: the angles by which ModernBERT turns queries and keys, plain or stretched by YaRN."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from waypost.inference.architecture import Floats

__all__ = ["Rope", "read_ropes"]

_THETA: Final = {"sliding_attention": 10_000.0, "full_attention": 160_000.0}
_OLD_THETA: Final = {"sliding_attention": "local_rope_theta", "full_attention": "global_rope_theta"}


@dataclass(frozen=True, slots=True)
class Rope:
    """One kind of rotary positions."""

    theta: float
    factor: float = 1.0
    """How many times longer YaRN (https://arxiv.org/abs/2309.00071) makes the context; 1: not at all."""
    original_positions: int = 0
    attention_factor: float = 1.0
    """What sines and cosines are multiplied by."""
    beta_fast: float = 32.0
    beta_slow: float = 1.0

    def tables(self, positions: int, size: int) -> tuple[Floats, Floats]:
        """Cosines and sines, each float32[positions, size / 2], for heads of ``size`` dimensions."""
        angles = np.outer(np.arange(positions), self._frequencies(size))
        scale = self.attention_factor
        return (np.cos(angles) * scale).astype(np.float32), (np.sin(angles) * scale).astype(np.float32)

    def _frequencies(self, size: int) -> Floats:
        frequencies = (1.0 / self.theta ** (np.arange(0, size, 2) / size)).astype(np.float32)
        if self.factor == 1.0:
            return frequencies
        # Fast rotations stay, slow ones are stretched, those between are blended.
        low = max(math.floor(self._dimension(self.beta_fast, size)), 0)
        high = min(math.ceil(self._dimension(self.beta_slow, size)), size - 1)
        stretched = np.clip((np.arange(size // 2) - low) / max(high - low, 0.001), 0, 1)
        return np.asarray(frequencies * (1 - stretched + stretched / self.factor), np.float32)

    def _dimension(self, rotations: float, size: int) -> float:
        """The dimension that turns this many times over the original context."""
        return size * math.log(self.original_positions / (rotations * 2 * math.pi)) / (2 * math.log(self.theta))


def read_ropes(config: dict[str, Any]) -> tuple[Rope, Rope]:
    """Read the local and the global rotary positions from ``config.json``, old (4.x) or new (5.x) style."""
    local, everywhere = (_read(config, kind) for kind in ("sliding_attention", "full_attention"))
    return local, everywhere


def _read(config: dict[str, Any], kind: str) -> Rope:
    scaling = dict((config.get("rope_parameters") or {}).get(kind) or {}) | (config.get("rope_scaling") or {})
    # Old files may say null for the local angle: the same as the global one.
    old = config.get(_OLD_THETA[kind], _THETA[kind]) or config["global_rope_theta"]
    theta = float(scaling.get("rope_theta", old))
    match scaling.get("rope_type", scaling.get("type", "default")):
        case "default":
            return Rope(theta)
        case "yarn":
            return _yarn(scaling, theta, config["max_position_embeddings"])
        case other:
            raise ValueError(f"waypost runs models with rope_type 'default' or 'yarn', not {other!r}")


def _yarn(scaling: dict[str, Any], theta: float, positions: int) -> Rope:
    if scaling.get("mscale") or not scaling.get("truncate", True):
        raise ValueError("waypost does not know YaRN with mscale or without truncate")
    original = int(scaling.get("original_max_position_embeddings") or positions)
    factor = float(scaling.get("factor") or positions / original)
    attention = scaling.get("attention_factor") or (0.1 * math.log(factor) + 1.0 if factor > 1 else 1.0)
    fast, slow = scaling.get("beta_fast") or 32.0, scaling.get("beta_slow") or 1.0
    return Rope(theta, factor, original, float(attention), float(fast), float(slow))
