"""Capitals that tell units apart: ``mW`` and ``MW``, ``Mb`` and ``MB``. Read by ``numbers`` and ``signs``."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import Final

import regex

from waypost.cache.words import lines

__all__ = ["capitals", "mixed"]

_BESIDE_NUMBER: Final = regex.compile(r"(?<=\d\s?)[\p{Latin}\p{Greek}]{1,4}(?![\p{L}\p{N}/°])")
_SHORT: Final = regex.compile(r"(?<![\p{L}\p{N}])\p{Latin}{2,4}(?![\p{L}\p{N}])")
_SHOUTED: Final = regex.compile(r"\p{Lu}{3,}")
_ALIKE: Final = 3
"""From so many letters on, only a word in mixed case is written so on purpose."""
_BYTES: Final = frozenset({"kb", "mb", "gb", "tb"})
"""In small letters these are bytes to nearly everybody."""
_TOLD_BY_CAPITALS: Final = frozenset({"mg", "mm", "ms"})
_NO_UNITS: Final = frozenset({"a", "i", "k", "l", "d", "x", "am", "pm", "ad", "bc", "ce", "st", "nd", "rd", "th", "hz"})


def capitals(text: str) -> dict[str, set[str]]:
    """Map what stands beside a number and may be a unit, in small letters, to how it is spelt."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    if len(_SHOUTED.findall(text)) > 1 and text.isupper():
        return found
    for word in _BESIDE_NUMBER.findall(text):
        if _counts(word):
            lower = word.lower()
            found[lower].add(lower.upper() if lower in _BYTES and word in (lower, lower.upper()) else word)
    return found


def mixed(text: str) -> dict[str, set[str]]:
    """Map short words with a capital inside, in small letters, to how they are spelt: ``mW``, ``MW``."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for word in _SHORT.findall(text):
        if word[1:] != word[1:].lower():
            found[word.lower()].add(word)
    return found


def _counts(word: str) -> bool:
    if word.lower() in _any_case():
        return False
    return len(word) < _ALIKE or word not in (word.lower(), word.upper(), word.title())


@cache
def _any_case() -> frozenset[str]:
    """Grammar, and units that are one however they are spelt: ``5 in``, ``5 KM``."""
    grammar = {word for language, words in lines("function") if language == "en" for word in words}
    units = {word for _, words in lines("units") for word in words if len(word) > 1}
    return frozenset((grammar - {"s", "t"} | units | _NO_UNITS) - _BYTES - _TOLD_BY_CAPITALS)
