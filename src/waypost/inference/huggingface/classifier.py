"""Sequence and token classifiers of other people, as waypost's signals use them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final, Self

import numpy as np

from waypost.config import schema
from waypost.errors import SetupError
from waypost.inference.architecture import Floats
from waypost.inference.huggingface.export import export
from waypost.inference.huggingface.reader import Reader
from waypost.inference.huggingface.shape import Task
from waypost.inference.once import Progress
from waypost.inference.softmax import softmax
from waypost.inference.tags import Span, Tagger, join_windows

__all__ = ["SequenceClassifier", "TokenClassifier"]

_TAG: Final = re.compile("O|[BI]-.+")


class SequenceClassifier:
    """One label for a text."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    @classmethod
    def load(cls, settings: schema.Classifier, limits: schema.Encoder, progress: Progress) -> Self:
        """Export the model if that was not done before, and load it. Raises SetupError."""
        return cls(_load(settings, limits, progress, "sequence"))

    @property
    def labels(self) -> tuple[str, ...]:
        """The model's, in the order of its outputs."""
        return self._reader.exported.labels

    async def probabilities(self, text: str) -> Floats:
        """Classify a text by the mean of its windows, each weighted by its tokens. Raises InferenceError."""
        found = await self._reader.read(text)
        weights = [max(1, len(window)) for window in found.windows]
        return softmax(np.average(np.concatenate(found.logits), axis=0, weights=weights).astype(np.float32))

    async def by_window(self, text: str) -> Floats:
        """Classify each window, float32[windows, labels], for who looks for the worst one. Raises InferenceError."""
        return softmax(np.concatenate((await self._reader.read(text)).logits))

    def close(self) -> None:
        """Free the threads."""
        self._reader.close()


class TokenClassifier:
    """Spans of a text, by BIO tags of its tokens."""

    def __init__(self, reader: Reader) -> None:
        if odd := next((label for label in reader.exported.labels if not _TAG.fullmatch(label)), None):
            raise SetupError(f"{reader.exported.model} has the label {odd!r}; BIO tags are needed: O, B-TYPE, I-TYPE")
        self._reader = reader
        self._tagger = Tagger(reader.exported.labels)

    @classmethod
    def load(cls, settings: schema.Classifier, limits: schema.Encoder, progress: Progress) -> Self:
        """Export the model if that was not done before, and load it. Raises SetupError."""
        return cls(_load(settings, limits, progress, "token"))

    @property
    def labels(self) -> tuple[str, ...]:
        """The model's, in the order of its outputs."""
        return self._reader.exported.labels

    async def spans(self, text: str) -> tuple[Span, ...]:
        """Find the spans, in characters of the text as given, in order and without overlap. Raises InferenceError."""
        found = await self._reader.read(text)
        spans = self._tagger.spans(join_windows(found.windows, found.logits), found.tokens, text)
        return tuple(_apart(spans))

    def close(self) -> None:
        """Free the threads."""
        self._reader.close()


def _apart(spans: Iterable[Span]) -> Iterator[Span]:
    """Give a character that byte-level tokens of two spans share to the first of them."""
    end = 0
    for span in spans:
        if span.end > end:
            yield replace(span, start=max(span.start, end))
            end = span.end


def _load(settings: schema.Classifier, limits: schema.Encoder, progress: Progress, task: Task) -> Reader:
    reader = Reader.load(export(settings, progress), limits)
    if reader.exported.task != task:
        raise SetupError(f"{settings.model} is a {reader.exported.task} classifier; a {task} classifier is needed here")
    return reader
