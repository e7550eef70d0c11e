"""Words taken apart: ``I G N O R E``, ``i.g.n.o.r.e``, ``忽 略``, ``in-struc-tions``."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["close_up"]

_GAP: Final = r"[ .\-_*·•|/,~+]"
_GLANCE: Final = re.compile(rf"{_GAP}\w{_GAP}\w{_GAP}\w")
# All begin with a rare character, so that ordinary prose is left after one glance.
_BROKEN_GLANCE: Final = re.compile(r"-(?<=[A-Za-z]{2}-)[A-Za-z]{2}[^-]{0,60}-(?<=[A-Za-z]{2}-)[A-Za-z]{2}")
_APART: Final = re.compile(rf"(?<![^\W_])[^\W_](?P<gap>{_GAP})[^\W_](?:(?P=gap)[^\W_]){{2,}}(?![^\W_])")
_ANY_APART: Final = re.compile(
    rf"(?<![^\W_])[^\W_](?P<gap>{_GAP})[^\W_]"
    rf"(?:(?:(?P=gap)[^\W_])+(?![^\W_])|(?![^\W_])(?!{_GAP}[^\W_](?![^\W_])))"
)
"""Also words of two letters, where a longer one shows that this is the game; in ``a b.o.x`` the ``a`` stands alone."""
_HAN: Final = r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]"
_HAN_APART: Final = re.compile(rf"(?<!{_HAN}){_HAN}(?P<gap>{_GAP})(?:{_HAN}(?P=gap)){{2,}}{_HAN}(?!{_HAN})")
_BROKEN: Final = r"(?<![\w.#/=-])[A-Za-z]{2,}(?:-[A-Za-z]{2,})+(?![\w:=(/-])"
_BROKEN_WORDS: Final = re.compile(rf"{_BROKEN}(?:\W{{1,3}}(?:\w{{1,12}}\W{{1,3}}){{0,2}}{_BROKEN})+")
"""At least two such words in close company; one alone is ``well-known``."""


def close_up(text: str) -> str:
    """Put together words whose letters or syllables stand apart."""
    if _GLANCE.search(text) and any(_is_word(match[0]) for match in _APART.finditer(text)):
        text = _ANY_APART.sub(_letters, text)
    if not text.isascii():
        text = _HAN_APART.sub(_letters, text)
    if _BROKEN_GLANCE.search(text):
        text = _BROKEN_WORDS.sub(lambda match: match[0].replace("-", ""), text)
    return text


def _letters(match: re.Match[str]) -> str:
    return match[0].replace(match["gap"], "") if _is_word(match[0]) else match[0]


def _is_word(apart: str) -> bool:
    """Numbers in a row are numbers."""
    return sum(map(str.isalpha, apart)) > len(apart) / 4
