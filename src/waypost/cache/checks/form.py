"""Whether two questions ask for another form of answer, or are asked in another language."""

from __future__ import annotations

from functools import cache
from typing import Final

import regex

from waypost.cache.reading import Reading
from waypost.cache.words import lines
from waypost.cache.words.phrases import Phrases

__all__ = ["form", "language"]

_FORMS: Final = Phrases("forms")
_SCRIPTS: Final = {
    "zh": r"\p{Han}",
    "ja": r"[\p{Hiragana}\p{Katakana}]",
    "ko": r"\p{Hangul}",
    "Cyrillic": r"\p{Cyrillic}",
    "Arabic": r"\p{Arabic}",
    "Devanagari": r"\p{Devanagari}",
    "Thai": r"\p{Thai}",
    "Greek": r"\p{Greek}{2}",
    "Hebrew": r"\p{Hebrew}",
}
_SCRIPT: Final = regex.compile("|".join(f"(?P<{name}>{pattern}+)" for name, pattern in _SCRIPTS.items()))
_LATIN: Final = regex.compile(r"\p{Latin}")
_LETTERS_A_CHARACTER: Final = {"zh": 3, "ja": 3, "ko": 2}
"""How many Latin letters say as much: 用Python排序列表 is Chinese."""
_LATIN_LANGUAGES: Final = frozenset({"en", "fr", "es", "de", "pt", "it"})
_ENOUGH: Final = 2
"""Grammar words of a language that tell it from the others."""


def form(a: Reading, b: Reading) -> bool:
    """Another length, format or difficulty is asked for, or the question is in another language."""
    if _FORMS.meanings(a.tokens) != _FORMS.meanings(b.tokens):
        return True
    left, right = language(a), language(b)
    return left != right and "" not in (left, right)


def language(reading: Reading) -> str:
    """Name the language, or the script; empty where nothing tells. Cheap: for two texts that already look alike."""
    sizes: dict[str, int] = {}
    if not reading.text.isascii():
        for match in _SCRIPT.finditer(reading.text):
            name = match.lastgroup or ""
            sizes[name] = sizes.get(name, 0) + len(match[0]) * _LETTERS_A_CHARACTER.get(name, 1)
    if "ja" in sizes:
        return "ja"  # which is written with Han as well
    script = max(sizes, key=sizes.__getitem__, default="")
    if not script or len(_LATIN.findall(reading.text)) > sizes[script]:
        return _latin_language(reading)
    return script


def _latin_language(reading: Reading) -> str:
    words = frozenset(reading.tokens)
    counts = sorted((len(words & grammar), name) for name, grammar in _grammars())
    (second, _), (most, name) = counts[-2:]
    return name if most >= _ENOUGH and most > second else ""


@cache
def _grammars() -> list[tuple[str, frozenset[str]]]:
    return [(name, frozenset(words)) for name, words in lines("function") if name in _LATIN_LANGUAGES]
