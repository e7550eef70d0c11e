"""A set of tools, ready to be scored against requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from waypost.inference.architecture import Floats
from waypost.tools.lexical import LexicalIndex, query_terms
from waypost.tools.relevance import Relevance
from waypost.tools.tool import Tool

__all__ = ["ToolIndex"]


@dataclass(frozen=True, slots=True, eq=False)
class ToolIndex:
    """Immutable; 3 000 tools take 5 MB and are scored in half a millisecond."""

    tools: tuple[Tool, ...]
    _relevance: Relevance
    _vectors: Floats
    _words: LexicalIndex

    @classmethod
    def build(cls, tools: Sequence[Tool], embeddings: Sequence[Floats] | Floats, relevance: Relevance) -> Self:
        """Index ``tools``; ``embeddings`` [n, dimensions] are those of their texts."""
        words = LexicalIndex(tools, relevance.background)
        vectors = np.reshape(np.asarray(embeddings, np.float32), (len(tools), len(relevance.tool_mean)))
        return cls(tuple(tools), relevance, relevance.tools(vectors), words)

    def scores(self, text: str, embedding: Floats) -> Floats:
        """Score every tool for a request: in (0, 1), roughly the probability that it serves it."""
        cosines = self._vectors @ self._relevance.query(embedding)
        return self._relevance.probabilities(cosines, self._words.scores(query_terms(text)))
