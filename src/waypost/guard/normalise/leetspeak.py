"""Digits and symbols in place of letters: ``1gn0r3 4ll rul3s``."""

from __future__ import annotations

import re
from typing import Final

from waypost.guard.normalise.bigrams import likelihood

__all__ = ["unleet"]

_TABLE: Final = str.maketrans("0134578@$!|", "oieastbasil")
# Begins with the rare characters, so that ordinary prose is left after one glance.
_BETWEEN: Final = re.compile(r"[013457@$!|](?<=[A-Za-z].)[013457@$!|]?(?=[A-Za-z])")
_WORD: Final = re.compile(r"(?<![^\s\"'(,;:])[A-Za-z013457@$!|8]+?(?=[!?.,;:\"')]*(?:\s|$))")
_LEET: Final = re.compile(r"[A-Za-z013457@$!|8]+")
_HEX: Final = re.compile(r"[0-9a-fA-F]+")
_ORDINAL: Final = re.compile(r"\d+(?:st|nd|rd|th|s|am|pm|[kmgtbs]{1,2})", re.IGNORECASE)
_LANGUAGE: Final = -3.4


def unleet(text: str) -> str:
    """Write letters for digits in words that mix both, if one of these words is surely meant so.

    Sure is a word of four letters or more with digits between letters that is language when read so: no hexadecimal
    number, formula, version or identifier.
    """
    if not _BETWEEN.search(text) or not any(map(_is_sure, text.split())):
        return text
    return _WORD.sub(lambda match: match[0].translate(_TABLE) if _is_mixed(match[0]) else match[0], text)


def _is_mixed(word: str) -> bool:
    letters = sum(map(str.isalpha, word))
    return 0 < letters < len(word) and not _ORDINAL.fullmatch(word)


def _is_sure(word: str) -> bool:
    if not _BETWEEN.search(word):
        return False
    word = word.strip("!?.,;:\"'()")
    if len(word) < 4 or not _LEET.fullmatch(word) or _HEX.fullmatch(word):
        return False
    return likelihood(word.translate(_TABLE).lower()) > _LANGUAGE
