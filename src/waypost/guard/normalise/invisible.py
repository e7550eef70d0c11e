"""Characters that nobody sees: removed where they cut words in two, decoded where they carry a hidden message."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["reveal"]

_UNSEEN: Final = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0"
)
# Persian and the scripts of India join letters with U+200C and U+200D, Thai and Khmer part words with U+200B.
_LETTER: Final = "A-Za-z0-9\u00c0-\u02af\u0370-\u052f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3"
_ANY: Final = re.compile(f"[{_UNSEEN}\U000e0000-\U000e01ef]")
_INSIDE_WORD: Final = re.compile(f"(?<=[{_LETTER}])[{_UNSEEN}]+(?=[{_LETTER}])")
_FLAG: Final = "\U0001f3f4"
_TAGS: Final = re.compile(f"{_FLAG}[\U000e0030-\U000e007a]{{1,6}}\U000e007f|[\U000e0020-\U000e007f]+")
"""The first are flags, such as Scotland's."""
_SELECTORS: Final = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{4,}")
"""So many in a row select nothing: they are bytes in disguise."""


def reveal(text: str) -> str:
    """Remove what is invisible inside words and put hidden ASCII and hidden bytes where they stand."""
    if text.isascii() or not _ANY.search(text):
        return text
    text = _TAGS.sub(_ascii, text)
    text = _SELECTORS.sub(_bytes, text)
    return _INSIDE_WORD.sub("", text)


def _ascii(match: re.Match[str]) -> str:
    if match[0].startswith(_FLAG):
        return match[0]
    return _spaced("".join(chr(ord(letter) - 0xE0000) for letter in match[0]))


def _bytes(match: re.Match[str]) -> str:
    codes = (ord(letter) for letter in match[0])
    found = bytes(code - 0xFE00 if code < 0xE0000 else code - 0xE0100 + 16 for code in codes)
    return _spaced(found.decode("utf-8", "ignore"))


def _spaced(hidden: str) -> str:
    return f" {hidden.replace(chr(0x7F), ' ')} "
