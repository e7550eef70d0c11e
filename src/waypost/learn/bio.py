"""Spans of characters as BIO tags of tokens. The way back is serving's: :mod:`waypost.inference.tags`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from waypost.learn.labels import OUTSIDE, PII_TAGS

__all__ = ["Span", "tags_of"]

Span: TypeAlias = tuple[int, int, str]
"""Start and end in characters, and the type. The end is exclusive."""

_NUMBER = {tag: index for index, tag in enumerate(PII_TAGS)}


def tags_of(offsets: Sequence[tuple[int, int]], spans: Sequence[Span]) -> list[int]:
    """Tag tokens at ``offsets``. A token belongs to the span that it overlaps, if only by one character."""
    tags = [_NUMBER[OUTSIDE]] * len(offsets)
    for start, end, kind in spans:
        edge = "B"
        for index, (left, right) in enumerate(offsets):
            if left < end and right > start:
                tags[index] = _NUMBER[f"{edge}-{kind}"]
                edge = "I"
    return tags
