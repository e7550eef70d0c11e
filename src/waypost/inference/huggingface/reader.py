"""An exported model reading texts of any length: window by window, off the event loop, within a deadline."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from waypost.config import schema
from waypost.errors import DeadlineExceeded, SetupError
from waypost.inference.architecture import Floats
from waypost.inference.huggingface.folder import TOKENIZER
from waypost.inference.huggingface.manifest import LOGITS, MODEL, Exported, verify
from waypost.inference.huggingface.tokenization import JsonTokenizer
from waypost.inference.pool import Abandoned, WorkerPool
from waypost.inference.recipe import OVERLAP
from waypost.inference.session import Session
from waypost.inference.tokenizer import Tokens
from waypost.inference.windows import plan_windows

__all__ = ["Reader", "TextLogits"]

_CHARACTERS_PER_TOKEN: Final = 8
"""Generous: English has four to five. Text beyond the cap at this rate is not even tokenized."""


@dataclass(frozen=True, slots=True, eq=False)
class TextLogits:
    """What a model said of one text. There is at least one window."""

    windows: tuple[range, ...]
    """The tokens of each window, as ranges of the text's tokens."""
    logits: tuple[Floats, ...]
    """For each window: float32[1, labels] of a sequence classifier, float32[tokens, labels] of a token classifier."""
    tokens: Tokens
    """All tokens of the text, up to the work cap and perhaps beyond."""
    skipped_tokens: int
    """Tokens at the end that the work cap left out; an estimate where the text is many times longer than the cap."""
    seconds: float
    """Computing time, without waiting."""


class Reader:
    """One loaded model with its threads."""

    def __init__(self, exported: Exported, tokenizer: JsonTokenizer, session: Session, limits: schema.Encoder) -> None:
        self.exported = exported
        self._tokenizer = tokenizer
        self._session = session
        self._deadline = limits.deadline
        self._max_windows = limits.max_windows
        self._before = (*tokenizer.before, *(tokenizer.tokenize(exported.prefix).ids if exported.prefix else ()))
        self._size = exported.longest - len(self._before) - len(tokenizer.after)
        if self._size <= OVERLAP:
            raise SetupError(
                f"{exported.model} reads {exported.longest} tokens at once: too few for its prefix, special tokens and "
                f"{OVERLAP} of overlap"
            )
        self._pool = WorkerPool(limits.threads, limits.queue)

    @classmethod
    def load(cls, directory: Path, limits: schema.Encoder) -> Self:
        """Load what :func:`waypost.inference.huggingface.export.export` made.

        Raises SetupError when a file is missing or was changed.
        """
        exported = verify(directory)
        return cls(exported, JsonTokenizer(directory / TOKENIZER), Session.load(directory / MODEL), limits)

    async def read(self, text: str) -> TextLogits:
        """Read one text. Raises InferenceError: Overloaded, DeadlineExceeded, or closed."""
        return await self._pool.run(lambda abandoned: self._read(text, abandoned), self._deadline)

    def close(self) -> None:
        """Drop waiting texts and free the threads."""
        self._pool.close()

    def _read(self, text: str, abandoned: Abandoned) -> TextLogits:
        start = time.perf_counter()
        limit = self._max_windows * self._size * _CHARACTERS_PER_TOKEN
        tokens = self._tokenizer.tokenize(text[:limit])
        plan = plan_windows(len(tokens), size=self._size, overlap=OVERLAP, cap=self._max_windows)
        unread = -(-max(0, len(text) - limit) * len(tokens) // limit)
        logits = tuple(self._window(tokens.ids[w.start : w.stop], abandoned) for w in plan.windows)
        seconds = time.perf_counter() - start
        return TextLogits(plan.windows, logits, tokens, plan.skipped + unread, seconds)

    def _window(self, ids: tuple[int, ...], abandoned: Abandoned) -> Floats:
        if abandoned():
            raise DeadlineExceeded("nobody waits for this text any more")
        logits = self._session.run((*self._before, *ids, *self._tokenizer.after))[LOGITS]
        if self.exported.task == "sequence":
            return logits
        return logits[len(self._before) : len(self._before) + len(ids)]
