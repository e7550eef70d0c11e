"""The shared encoder: text in; an embedding, probabilities and spans out, all from one pass over each window."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, Self

import numpy as np

from waypost.config import schema
from waypost.errors import DeadlineExceeded
from waypost.inference.architecture import Floats
from waypost.inference.lexicon import LEXICON, Lexicon
from waypost.inference.manifest import TOKENIZER, Manifest, verify
from waypost.inference.pool import Abandoned, WorkerPool
from waypost.inference.profile import open_profile
from waypost.inference.reading import Reading, Window
from waypost.inference.recipe import OVERLAP, WINDOW
from waypost.inference.session import Session
from waypost.inference.tags import Span
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
    """float32[features]; not normalised. Empty in what ships; heads are fitted on them."""
    tokens: int
    """Tokens that were read, each counted once; prefix and special tokens are not counted."""
    windows: int
    skipped_tokens: int
    """Tokens at the end that the work cap left out; an estimate where the text is many times longer than the cap."""
    seconds: float
    """Computing time, without waiting."""
    probabilities: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Of each label of each head on sequences."""
    spans: tuple[Span, ...] = ()
    """Personal data, in characters of the text; in order and without overlap."""
    stopped: bool = False
    """Reading ended early because an attack was found; all else covers only what was read."""


class Encoder(Protocol):
    """What signals need of an encoder."""

    @property
    def manifest(self) -> Manifest:
        """Describes the model; heads check that they belong to it."""
        ...

    @property
    def pending(self) -> int:
        """Texts that wait or are read now."""
        ...

    async def encode(self, text: str, *, until: float | None = None) -> Encoding:
        """Encode one text. Raises InferenceError: Overloaded, DeadlineExceeded, or closed.

        ``until``: reading may stop after a window in which an attack has this probability.
        """
        ...

    def close(self) -> None:
        """Free the threads. Later calls of ``encode`` raise InferenceError."""
        ...


class OnnxEncoder:
    """An encoder on ONNX Runtime.

    One session serves all threads; each request runs on one core, its windows one after the other, because dynamic
    int8 makes the result of a window depend on what is batched with it.
    """

    def __init__(
        self,
        manifest: Manifest,
        tokenizer: Tokenizer,
        session: Session,
        config: schema.Encoder,
        lexicon: Lexicon | None = None,
    ) -> None:
        self._manifest = manifest
        self._lexicon = lexicon
        self._tokenizer = tokenizer
        self._session = session
        self._deadline = config.deadline
        self._max_windows = config.max_windows
        self._pool = WorkerPool(config.threads, config.queue)
        self._reading = Reading(manifest)
        self._prefix = (tokenizer.first, *tokenizer.tokenize(manifest.prefix).ids)
        self._window = WINDOW + 1 - len(self._prefix)

    @classmethod
    def load(cls, directory: Path, config: schema.Encoder) -> Self:
        """Load what :func:`waypost.learn.export.export` made.

        Raises SetupError when a file is missing or was changed.
        """
        manifest = verify(directory)
        manifest, session = open_profile(directory, manifest, config.profile)
        heads = [(head.name, head.labels) for head in manifest.heads]
        lexicon = Lexicon.load(directory, heads) if LEXICON in manifest.files else None
        return cls(manifest, Tokenizer(directory / TOKENIZER), session, config, lexicon)

    @property
    def manifest(self) -> Manifest:
        """What was loaded."""
        return self._manifest

    @property
    def pending(self) -> int:
        """Requests that wait or run now."""
        return self._pool.pending

    async def encode(self, text: str, *, until: float | None = None) -> Encoding:
        """Encode one text off the event loop, within the configured deadline."""
        return await self._pool.run(lambda abandoned: self._encode(text, until, abandoned), self._deadline)

    def close(self) -> None:
        """Drop waiting requests and free the threads."""
        self._pool.close()

    def _encode(self, text: str, until: float | None, abandoned: Abandoned) -> Encoding:
        start = time.perf_counter()
        limit = self._max_windows * self._window * _CHARACTERS_PER_TOKEN
        tokens = self._tokenizer.tokenize(text[:limit])
        plan = plan_windows(len(tokens), size=self._window, overlap=OVERLAP, cap=self._max_windows)
        unread = -(-max(0, len(text) - limit) * len(tokens) // limit)
        windows = self._read(tokens.ids, plan.windows, until, abandoned)
        read = windows[-1].place.stop
        embedding = self._reading.mean(windows, "embedding")
        return Encoding(
            embedding=embedding / np.linalg.norm(embedding),
            features=self._reading.mean(windows, "features") if self._manifest.features else _NONE,
            tokens=read,
            windows=len(windows),
            skipped_tokens=plan.skipped + unread,
            seconds=time.perf_counter() - start,
            probabilities=self._reading.probabilities(windows, self._words(text[:limit])),
            spans=self._reading.spans(windows, tokens, text),
            stopped=len(windows) < len(plan.windows),
        )

    def _words(self, text: str) -> dict[str, Floats]:
        """What the words alone add to the logits of a head."""
        return {self._lexicon.head: self._lexicon.logits(self._tokenizer, text)} if self._lexicon else {}

    def _read(
        self, ids: Sequence[int], places: Sequence[range], until: float | None, abandoned: Abandoned
    ) -> list[Window]:
        windows: list[Window] = []
        for place in places:
            if abandoned():
                raise DeadlineExceeded("nobody waits for this text any more")
            windows.append(self._pass(ids[place.start : place.stop], place))
            if until is not None and self._reading.reaches(windows[-1], until):
                break
        return windows

    def _pass(self, ids: Sequence[int], place: range) -> Window:
        sequence = (*self._prefix, *ids, self._tokenizer.last)
        outputs = dict(self._session.run(sequence))
        for name in self._reading.token_heads:
            outputs[name] = outputs[name][len(self._prefix) : -1]
        return Window(place, len(sequence), outputs)


_NONE = np.empty(0, np.float32)
