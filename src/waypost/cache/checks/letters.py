"""Single letters: which are words of a language, and how those that are none are spelt. Read by ``signs``."""

from __future__ import annotations

from typing import Final

import regex

from waypost.cache.checks.form import language
from waypost.cache.reading import Reading

__all__ = ["is_word", "spelt", "words_of"]

_WORDS: Final = {"es": "yoeua", "pt": "oeaéàó", "it": "ieoaèé", "fr": "ayàldjnmtcs"}
_ANYWHERE: Final = "àèéòóиівксуояабжйєзοη"
"""Words in languages that these letters tell."""
_OPERATOR_BEFORE: Final = regex.compile(r"[\p{Sm}^*/&\\]\s?\Z")
_OPERATOR_AFTER: Final = regex.compile(r"\s?[\p{Sm}^*/&\\]")
_SENTENCE_BEGINS: Final = regex.compile(r"(?:\A|[.?!:;\n…。？！：；]|\s[-–—])[\s\"'“‘(]*\Z")
_NEXT: Final = regex.compile(r"\s+[\"'“‘(]?(?:\p{Sc}?\d[\d.,]*\p{Sc}?\s?)?(?P<word>\p{L}[\p{L}'’-]+)")
_NUMBERED: Final = regex.compile(r"(?i:\b(?:vitamin|hepatitis|influenza|plan|type|grade|class|group|option)\s+)\Z")
_LANGUAGES: Final = regex.compile(r"(?i:\bin\s+)\Z")
_NO_NOUN: Final = frozenset(
    {"is", "are", "was", "were", "be", "has", "have", "does", "do", "can", "could", "may", "will", "would", "should"}
    | {"must", "and", "or", "but", "if", "then", "than", "not", "when", "where", "of", "to", "in", "on", "at", "by"}
    | {"for", "from", "with", "as", "plus", "minus", "times", "divided", "equals"}
)
"""What follows a letter that is none of the articles: ``a is 1``."""
_REACH: Final = 16
"""Characters before a letter that are looked at."""


def words_of(reading: Reading) -> str:
    """Give the letters that are words in the question's language, but for English ones."""
    return _ANYWHERE + _WORDS.get(language(reading), "")


def is_word(text: str, at: int, words: str) -> bool:
    """Whether the letter at this place is a word: ``I``, the article ``a``, or one of ``words``."""
    before, letter = text[max(0, at - _REACH) : at], text[at]
    if _OPERATOR_BEFORE.search(before) or _OPERATOR_AFTER.match(text, at + 1):
        return False
    lower = letter.lower()
    if lower == "i":
        return not (before.endswith("(") and text[at + 1 : at + 2] == ")")
    begins = bool(_SENTENCE_BEGINS.search(before))
    if lower == "a" and _is_article(text, at, begins):
        return True
    return lower in words and (letter == lower or begins)


def spelt(text: str, at: int) -> str:
    """Give the letter with its case, but where that says nothing: ``vitamin c``, ``in c``."""
    before, letter = text[max(0, at - _REACH) : at], text[at]
    if _NUMBERED.search(before) or (letter in "cr" and _LANGUAGES.search(before)):
        return letter.upper()
    return letter


def _is_article(text: str, at: int, begins: bool) -> bool:
    """``a house``, ``A house``, and ``A House`` in a headline; not ``A implies``, nor ``a is 1``."""
    following = _NEXT.match(text, at + 1)
    if following is None:
        return False
    word = following["word"]
    return word not in _NO_NOUN and (text[at] == "a" or begins or word[0].isupper())
