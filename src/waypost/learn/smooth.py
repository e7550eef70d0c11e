"""Even out what is quantised: SmoothQuant (Xiao et al., 2023), before int8.

The engine quantises a layer's input with one scale for all of its channels, so a few large channels leave the others
few of the 255 steps. Dividing each channel of the input by a factor, and multiplying the matrix that reads it by the
same factor, changes nothing in full precision; the matrix has a scale for each output and bears the unevenness better.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np

from waypost.inference.architecture import Floats, State

__all__ = ["Ranges", "absorb", "factors", "widest"]

Ranges = Mapping[str, Floats]
"""The largest absolute value of every input channel, by the name of the layer that reads it."""

_SHARE: Final = 0.8
"""How much of the unevenness the matrix takes over, from 0 to 1.

On 400 texts the embedding's cosine to full precision, mean and worst, is 0.9970 and 0.986 without smoothing, 0.9986 and
0.996 at 0.6, 0.9995 and 0.998 at 0.8, 0.9993 and 0.997 at 0.9.
"""
_TINY: Final = 1e-5
_PARTS: Final = ("query", "key", "value")


def widest(ranges: Iterable[Ranges]) -> Ranges:
    """Join the ranges of many sequences."""
    found: dict[str, Floats] = {}
    for each in ranges:
        for name, values in each.items():
            found[name] = np.maximum(found.get(name, 0), values)
    return found


def factors(state: State, ranges: Ranges, share: float = _SHARE) -> Ranges:
    """What each input channel is to be divided by; around 1."""
    found = {}
    for name, inputs in ranges.items():
        weights = np.max([np.abs(state[f"{part}.weight"]).max(axis=0) for part in _readers(name)], axis=0)
        factor = np.maximum(inputs, _TINY) ** share / np.maximum(weights, _TINY) ** (1 - share)
        found[name] = (factor / np.exp(np.log(factor).mean())).astype(np.float32)
    return found


def absorb(state: State, factors: Ranges) -> State:
    """Multiply the matrices by what their inputs will be divided by."""
    changed = {
        f"{part}.weight": state[f"{part}.weight"] * by for name, by in factors.items() for part in _readers(name)
    }
    return state | changed


def _readers(name: str) -> tuple[str, ...]:
    """The matrices that read an input: query, key and value read the same."""
    return tuple(f"{name}.{part}" for part in _PARTS) if name.endswith("attention.self") else (name,)
