"""The shared sentence encoder: text in, an embedding and the features that heads read out."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import numpy as np

from waypost.config import schema
from waypost.errors import DeadlineExceeded
from waypost.inference.architecture import Floats
from waypost.inference.manifest import MODEL, TOKENIZER, Manifest, verify
from waypost.inference.pool import Abandoned, WorkerPool
from waypost.inference.recipe import OVERLAP, WINDOW
from waypost.inference.session import Session
from waypost.inference.tokenizer import Tokenizer
from waypost.inference.windows import plan_windows

__all__ = ["Encoder", "Encoding", "OnnxEncoder"]

_CHARACTERS_PER_TOKEN = 8
"""Generous: English has four to five, Chinese one to two. Text beyond the cap at this rate is not even tokenized."""


@dataclass(frozen=True, slots=True, eq=False)
class Encoding:
    """What the encoder made of one text."""

    embedding: Floats
    """float32[dimensions], of length 1; compare with a dot product."""
    features: Floats
    """float32[features]; not normalised."""
    tokens: int
    """Tokens that were read, each counted once; prefix and special tokens are not counted."""
    windows: int
    skipped_tokens: int
    """Tokens at the end that the work cap left out; an estimate where the text is many times longer than the cap."""
    seconds: float
    """Computing time, without waiting."""


class Encoder(Protocol):
    """What signals need of an encoder."""

    @property
    def manifest(self) -> Manifest:
        """Describes the model; heads check that they belong to it."""
        ...

    async def encode(self, text: str) -> Encoding:
        """Encode one text. Raises InferenceError: Overloaded, DeadlineExceeded, or closed."""
        ...

    def close(self) -> None:
        """Free the threads. Later calls of ``encode`` raise InferenceError."""
        ...


class OnnxEncoder:
    """A prepared encoder on ONNX Runtime.

    One session serves all threads; each request runs on one core, its windows one after the other, because dynamic
    int8 makes the result of a window depend on what is batched with it.
    """

    def __init__(self, manifest: Manifest, tokenizer: Tokenizer, session: Session, config: schema.Encoder) -> None:
        self._manifest = manifest
        self._tokenizer = tokenizer
        self._session = session
        self._deadline = config.deadline
        self._max_windows = config.max_windows
        self._pool = WorkerPool(config.threads, config.queue)
        self._prefix = (tokenizer.first, *tokenizer.tokenize(manifest.prefix).ids)
        self._window = WINDOW + 1 - len(self._prefix)

    @classmethod
    def load(cls, directory: Path, config: schema.Encoder) -> Self:
        """Load what :func:`waypost.inference.prepare.prepare` made.

        Raises SetupError when a file is missing or was changed.
        """
        manifest = verify(directory)
        return cls(manifest, Tokenizer(directory / TOKENIZER), Session.load(directory / MODEL), config)

    @property
    def manifest(self) -> Manifest:
        """What was loaded."""
        return self._manifest

    @property
    def pending(self) -> int:
        """Requests that wait or run now."""
        return self._pool.pending

    async def encode(self, text: str) -> Encoding:
        """Encode one text off the event loop, within the configured deadline."""
        return await self._pool.run(lambda abandoned: self._encode(text, abandoned), self._deadline)

    def close(self) -> None:
        """Drop waiting requests and free the threads."""
        self._pool.close()

    def _encode(self, text: str, abandoned: Abandoned) -> Encoding:
        start = time.perf_counter()
        limit = self._max_windows * self._window * _CHARACTERS_PER_TOKEN
        ids = self._tokenizer.tokenize(text[:limit]).ids
        plan = plan_windows(len(ids), size=self._window, overlap=OVERLAP, cap=self._max_windows)
        unread = -(-max(0, len(text) - limit) * len(ids) // limit)
        embedding, features = self._average([ids[w.start : w.stop] for w in plan.windows], abandoned)
        return Encoding(
            embedding=embedding / np.linalg.norm(embedding),
            features=features,
            tokens=len(ids) - plan.skipped,
            windows=len(plan.windows),
            skipped_tokens=plan.skipped + unread,
            seconds=time.perf_counter() - start,
        )

    def _average(self, windows: list[tuple[int, ...]], abandoned: Abandoned) -> tuple[Floats, Floats]:
        """Mean of the windows' vectors, each weighted by its length: close to the mean over all tokens."""
        embeddings, features, weights = [], [], []
        for window in windows:
            if abandoned():
                raise DeadlineExceeded("nobody waits for this text any more")
            ids = (*self._prefix, *window, self._tokenizer.last)
            embedding, feature = self._session.run(ids)
            embeddings.append(embedding)
            features.append(feature)
            weights.append(len(ids))
        return _weighted(embeddings, weights), _weighted(features, weights)


def _weighted(vectors: list[Floats], weights: list[int]) -> Floats:
    return np.average(vectors, axis=0, weights=weights).astype(np.float32)
