"""Embeddings of many texts, one at a time, from the very engine that serves."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from waypost.inference.architecture import Floats
from waypost.inference.encoder import Encoder

__all__ = ["embed"]

_REPORT_EVERY = 500


async def embed(encoder: Encoder, texts: Sequence[str], say: Callable[[str], None]) -> tuple[Floats, list[float]]:
    """Embed ``texts`` into [n, dimensions]; also the seconds that each took. Raises InferenceError when one fails."""
    vectors, seconds = [], []
    for number, text in enumerate(texts, 1):
        start = time.perf_counter()
        vectors.append((await encoder.encode(text)).embedding)
        seconds.append(time.perf_counter() - start)
        if number % _REPORT_EVERY == 0:
            say(f"embedded {number} of {len(texts)} texts")
    return np.stack(vectors), seconds
