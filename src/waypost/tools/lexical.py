"""How well the words of a request match those of a tool: BM25 over name, description and parameters.

Robertson & Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond (2009).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from waypost.inference.architecture import Floats
from waypost.tools.terms import terms
from waypost.tools.tool import Tool

__all__ = ["Background", "LexicalIndex", "document", "query_terms"]

_PARAMETERS: Final = 0.1
"""Weight of a word among the parameters, against 1 in name and description."""
_K1: Final = 1.2
_B: Final = 0.2
_BUCKETS: Final = 2**14
_QUERY_TERMS: Final = 256
"""A pasted document must not make the choice slow; what is asked mostly stands at its beginning or its end."""
_QUERY_CHARACTERS: Final = 2000


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """How common words are among tools in general, so that five tools are ranked as soundly as five thousand."""

    counts: NDArray[np.uint16]
    """Tools that hold a word, by the word's hash."""
    tools: int
    length: float
    """Mean length of a tool, in weighted words."""

    @classmethod
    def of(cls, documents: Sequence[Mapping[str, float]]) -> Background:
        """Count the words of :func:`document`."""
        counts = np.zeros(_BUCKETS, np.uint16)
        for words in documents:
            counts[[_bucket(word) for word in words]] += 1
        return cls(counts, len(documents), float(np.mean([sum(words.values()) for words in documents])))

    def rarity(self, word: str, tools: int, holding: int) -> float:
        """Inverse document frequency over these tools and ``tools`` more, of which ``holding`` hold the word."""
        return math.log(1 + (self.tools + tools) / (int(self.counts[_bucket(word)]) + holding + 0.5))


class LexicalIndex:
    """Postings of a set of tools: for each word, which tools hold it and what that is worth."""

    def __init__(self, tools: Sequence[Tool], background: Background) -> None:
        self._size = len(tools)
        postings: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
        for place, tool in enumerate(tools):
            words = document(tool)
            damping = _K1 * (1 - _B + _B * sum(words.values()) / background.length)
            for word, count in words.items():
                postings[word].append((place, count * (_K1 + 1) / (count + damping)))
        self._postings = {
            word: _posting(held, background.rarity(word, len(tools), len(held))) for word, held in postings.items()
        }

    def scores(self, words: Iterable[str]) -> Floats:
        """Score every tool, from 0 up; ``words`` are distinct."""
        scores = np.zeros(self._size, np.float32)
        for word in words:
            if posting := self._postings.get(word):
                scores[posting[0]] += posting[1]
        return scores


def document(tool: Tool) -> Mapping[str, float]:
    """Weigh a tool's words by where and how often they stand."""
    words: defaultdict[str, float] = defaultdict(float)
    for text, weight in ((tool.name, 1.0), (tool.description, 1.0), (tool.parameters, _PARAMETERS)):
        for word in terms(text):
            words[word] += weight
    return words


def query_terms(text: str) -> tuple[str, ...]:
    """Return the distinct words of a request's text; of a very long one, of its two ends."""
    if len(text) > 2 * _QUERY_CHARACTERS:
        text = f"{text[:_QUERY_CHARACTERS]} {text[-_QUERY_CHARACTERS:]}"
    return tuple(islice(dict.fromkeys(terms(text)), _QUERY_TERMS))


def _posting(held: Sequence[tuple[int, float]], rarity: float) -> tuple[NDArray[np.intp], Floats]:
    places, values = zip(*held, strict=True)
    return np.array(places, np.intp), np.array(values, np.float32) * np.float32(rarity)


def _bucket(word: str) -> int:
    # crc32 because hash() differs from one process to the next.
    return crc32(word.encode()) % _BUCKETS
