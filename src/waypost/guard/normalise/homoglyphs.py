"""Letters of other alphabets that look like Latin ones, inside Latin words. Russian and Greek text stays as it is."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["fold_homoglyphs"]

_CYRILLIC: Final = dict(
    zip("аеорсухіјѕԁԛԝһѵӏкмтвнгпАВЕКМНОРСТУХІЈЅԌԚԜҺ", "aeopcyxijsdqwhvlkmtbhrnABEKMHOPCTYXIJSGQWH", strict=True)
)
_GREEK: Final = dict(zip("αειικνορτυχωηγΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "aeiiknoptuxwnyABEZHIKMNOPTYX", strict=True))
_ARMENIAN: Final = dict(zip("օոսհցեզ", "onuhgtq", strict=True))
_LATIN: Final = dict(zip("ıɡɑɩƖƅɓʋɴɪ", "igailbbvni", strict=True))
_TABLE: Final = str.maketrans(_CYRILLIC | _GREEK | _ARMENIAN | _LATIN)

_MIXED: Final = re.compile(r"[A-Za-z][Ͱ-ևƅƖıɓɡɑɩɪɴʋ]|[Ͱ-ևƅƖıɓɡɑɩɪɴʋ][A-Za-z]")
_WORD: Final = re.compile(r"[^\W\d_]+")
_FOREIGN: Final = re.compile("[Ͱ-և]")
_GREEK_LETTER: Final = re.compile("[Ͱ-Ͽ]")


def fold_homoglyphs(text: str) -> str:
    """Write as Latin each word that mixes alphabets.

    Whole words of look-alikes follow, unless some word shows that the text is really Greek or Russian. Greek letters
    with a single Latin one are a formula, and stay.
    """
    if text.isascii() or not _MIXED.search(text):
        return text
    genuine = any(_is_genuine(word) for word in _WORD.findall(text))
    return _WORD.sub(lambda match: _fold(match[0], genuine=genuine), text)


def _fold(word: str, *, genuine: bool) -> str:
    if word.isascii():
        return word
    folded = word.translate(_TABLE)
    if not folded.isascii():
        return word
    latin = sum(map(str.isascii, word))
    if latin == 0:
        return word if genuine else folded
    return word if latin == 1 and _GREEK_LETTER.search(word) else folded


def _is_genuine(word: str) -> bool:
    return not word.isascii() and not any(map(str.isascii, word)) and bool(_FOREIGN.search(word.translate(_TABLE)))
