"""From the tags of tokens (``B-PERSON``, ``I-PERSON``, ``O``) to spans of characters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from waypost.inference.architecture import Floats
from waypost.inference.softmax import log_softmax
from waypost.inference.tokenizer import Tokens

__all__ = ["Span", "Tagger", "join_windows"]

_NEVER = np.float32(-1e9)


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a text, ``text[start:end]``, and what it is."""

    start: int
    end: int
    type: str
    score: float
    """Mean probability of the type over the span's tokens, in [0, 1]."""


class Tagger:
    """Reads spans from the logits of one set of BIO tags."""

    def __init__(self, tags: Sequence[str], temperature: float = 1.0) -> None:
        self._tags = tuple(tags)
        self._types = [tag.partition("-")[2] for tag in tags]
        self._inside = np.array([tag.startswith("I-") for tag in tags])
        self._same_type = np.array([[a == b for b in self._types] for a in self._types])
        # From the row's tag to the column's: an inner tag follows only tags of its own type.
        self._moves = np.where(self._inside & ~self._same_type, _NEVER, np.float32(0))
        self._temperature = temperature

    def spans(self, logits: Floats, tokens: Tokens, text: str) -> tuple[Span, ...]:
        """Find the spans of ``text`` from logits[n, tags] of its first n tokens, in order and without overlap."""
        if not len(logits):
            return ()
        scores = log_softmax(logits, self._temperature)
        tags = self._best_tags(scores)
        probabilities = np.exp(scores)
        found = (self._span(range_, tags, probabilities, tokens, text) for range_ in self._ranges(tags))
        return tuple(_apart(found))

    def _best_tags(self, scores: Floats) -> NDArray[np.int64]:
        """Find the likeliest legal sequence: the best tag of each token if these are one, else by Viterbi."""
        best = scores.argmax(axis=1)
        legal = not self._inside[best[0]] and (self._moves[best[:-1], best[1:]] == 0).all()
        return best if legal else self._viterbi(scores)

    def _viterbi(self, scores: Floats) -> NDArray[np.int64]:
        came_from = np.zeros(scores.shape, np.int64)
        best = scores[0] + np.where(self._inside, _NEVER, np.float32(0))
        for index in range(1, len(scores)):
            paths = best[:, None] + self._moves
            came_from[index] = paths.argmax(axis=0)
            best = paths.max(axis=0) + scores[index]
        tags = np.empty(len(scores), np.int64)
        tags[-1] = best.argmax()
        for index in range(len(scores) - 1, 0, -1):
            tags[index - 1] = came_from[index, tags[index]]
        return tags

    def _ranges(self, tags: NDArray[np.int64]) -> Iterator[range]:
        """Group the tokens of each span."""
        start = None
        for index, tag in enumerate(tags):
            if start is not None and not self._inside[tag]:
                yield range(start, index)
                start = None
            if self._tags[tag].startswith("B-"):
                start = index
        if start is not None:
            yield range(start, len(tags))

    def _span(self, range_: range, tags: NDArray[np.int64], probabilities: Floats, tokens: Tokens, text: str) -> Span:
        first = tags[range_.start]
        start, end = tokens.offsets[range_.start][0], tokens.offsets[range_.stop - 1][1]
        inner = text[start:end]
        score = probabilities[range_.start : range_.stop, self._same_type[first]].sum(axis=1).mean()
        start, end = start + len(inner) - len(inner.lstrip()), end - len(inner) + len(inner.rstrip())
        return Span(start, end, self._types[first], min(1.0, float(score)))


def _apart(spans: Iterable[Span]) -> Iterator[Span]:
    """Give a character that tokens of two spans share to the first of them, and leave out what is empty."""
    end = 0
    for span in spans:
        if max(span.start, end) < span.end:
            yield replace(span, start=max(span.start, end))
            end = span.end


def join_windows(windows: Sequence[range], logits: Sequence[Floats]) -> Floats:
    """Join the logits of overlapping windows, which begin at 0 and leave no gap, into one row a token.

    Where windows share a token each counts by how far the token is from the window's edge: what is cut there is read
    from the window that sees it whole, and a span may cross from one window to the next.
    """
    if len(windows) == 1:
        return logits[0]
    total = np.zeros((windows[-1].stop, logits[0].shape[1]), np.float32)
    weights = np.zeros((windows[-1].stop, 1), np.float32)
    for window, found in zip(windows, logits, strict=True):
        weight = np.minimum(np.arange(1, len(window) + 1), np.arange(len(window), 0, -1))[:, None]
        total[window.start : window.stop] += log_softmax(found) * weight
        weights[window.start : window.stop] += weight
    return total / weights
