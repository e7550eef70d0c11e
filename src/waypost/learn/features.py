"""Features of many texts from the very engine that serves, quantisation errors and all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import numpy as np

from waypost.inference.architecture import Floats
from waypost.inference.encoder import Encoder

__all__ = ["encode_all"]

_AT_ONCE = 8
_REPORT_EVERY = 1000


async def encode_all(encoder: Encoder, texts: Sequence[str], progress: Callable[[str], None]) -> Floats:
    """Encode ``texts`` into features[n, d]. Raises InferenceError when one fails."""
    slots = asyncio.Semaphore(_AT_ONCE)
    done = 0

    async def encode(text: str) -> Floats:
        nonlocal done
        async with slots:
            features = (await encoder.encode(text)).features
        done += 1
        if done % _REPORT_EVERY == 0:
            progress(f"encoded {done} of {len(texts)} texts")
        return features

    return np.stack(await asyncio.gather(*map(encode, texts)))
