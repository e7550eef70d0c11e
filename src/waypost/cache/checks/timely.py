"""Whether the right answer to a question is another one tomorrow, or each time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import regex

from waypost.cache.checks.drawn import is_drawn, may_be_drawn
from waypost.cache.reading import Reading
from waypost.cache.words.phrases import TOKEN, Phrases

__all__ = ["timely"]


_TIMELY: Final = Phrases("timely")
_SENTENCE: Final = regex.compile(r"[^.!?。！？\n]*[.!?。！？\n]*")
_STORY: Final = 3
"""In more sentences than these things happen today or yesterday; what counts then are those that ask."""


def timely(a: Reading, b: Reading) -> bool:
    """One of the questions asks for something that changes by the day, or is made up for who asks."""
    return _is_timely(a) or _is_timely(b)


def _is_timely(reading: Reading) -> bool:
    if not (may_be_drawn(reading.tokens) or _TIMELY.meanings(reading.tokens)):
        return False
    sentences = [TOKEN.findall(sentence.lower()) for sentence in _asking(reading.text)]
    return any(is_drawn(sentence) or bool(_TIMELY.meanings(sentence)) for sentence in sentences)


def _asking(text: str) -> Iterator[str]:
    """Give all sentences, but of a story only its questions and its last sentence."""
    sentences = [sentence for sentence in _SENTENCE.findall(text) if sentence.strip()]
    for place, sentence in enumerate(sentences, 1):
        if len(sentences) <= _STORY or place == len(sentences) or sentence.rstrip().endswith(("?", "？")):
            yield sentence
