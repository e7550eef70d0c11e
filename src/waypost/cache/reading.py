"""What the cache reads in a question besides its embedding: its words, and the terms that carry its subject."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from waypost.cache.words import lines
from waypost.cache.words.phrases import TOKEN, Phrases

__all__ = ["Reading", "read", "stem", "term_of", "terms_of"]

_GRAMMAR: Final = "function"
_LEXICON: Final = Phrases(_GRAMMAR, "concepts")
_ENDINGS: Final = ("ing", "ed", "es", "s", "e")
_SHORTEST_STEM: Final = 3


@dataclass(frozen=True, slots=True)
class Reading:
    """One question, read once and compared with several."""

    written: str
    """As it was asked, without space around it: compatibility form makes 23 of ``2³``."""
    text: str
    """In compatibility form (NFKC), with plain apostrophes and without space around it."""
    tokens: tuple[str, ...]
    """In lower case."""
    begins: tuple[int, ...]
    """Where each token begins in the text."""
    terms: tuple[str, ...]
    """In order: names of concepts, and stems of all other words that are not mere grammar."""
    subject: frozenset[str]
    """The terms, each once."""


def read(text: str) -> Reading:
    """Read one question; some 20 µs for a sentence, linear in its length."""
    written = text.strip()
    text = unicodedata.normalize("NFKC", written).replace("’", "'").strip()
    found = list(TOKEN.finditer(text))
    tokens = tuple(match[0].lower() for match in found)
    terms = terms_of(tokens)
    return Reading(written, text, tokens, tuple(match.start() for match in found), terms, frozenset(terms))


def terms_of(tokens: Sequence[str]) -> tuple[str, ...]:
    """Give what of ``tokens`` carries the subject."""
    return tuple(_terms(tokens))


@lru_cache(maxsize=1 << 14)
def term_of(token: str) -> str:
    """Give the term of one token by itself; empty for mere grammar."""
    return next(_terms((token,)), "")


def _terms(tokens: Sequence[str]) -> Iterator[str]:
    grammar = _grammar()
    for meaning, begin, _ in _LEXICON.walk(tokens):
        if meaning not in grammar:
            yield stem(tokens[begin] if meaning is None else meaning)


@cache
def _grammar() -> frozenset[str | None]:
    """Names of the languages whose grammar is known: the meanings of words that carry no subject."""
    return frozenset(language for language, _ in lines(_GRAMMAR))


def stem(word: str) -> str:
    """Take an English inflection off: ``reversing``, ``reverse`` → ``revers``. Other languages mostly stay."""
    word = word.removesuffix("'s")
    if not word.isascii() or not word.isalpha():
        return word.replace(",", "")
    if word.endswith("ies") and len(word) > _SHORTEST_STEM + 1:
        return word[:-3] + "y"
    for ending in _ENDINGS:
        root = word.removesuffix(ending)
        if root == word or len(root) < _SHORTEST_STEM or not _has_vowel(root):
            continue
        if ending == "s" and root.endswith(("s", "u", "i")):  # class, bus, osmosis
            return word
        doubled = ending in ("ing", "ed") and root[-1] == root[-2] and root[-1] not in "lsz"
        return root[:-1] if doubled else root.removesuffix("e")
    return word


def _has_vowel(root: str) -> bool:
    return not frozenset("aeiouy").isdisjoint(root)
