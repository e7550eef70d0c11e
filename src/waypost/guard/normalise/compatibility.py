"""Letters in fancy dress: full width, mathematical, circled, superscript (NFKC), and what Unicode forgot to map."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["compose", "undress"]

_SMALL_CAPITALS: Final = dict(zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘǫʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnopqrstuvwyz", strict=True))
_BOXES: Final = {chr(first + n): chr(ord("A") + n) for first in (0x1F150, 0x1F170) for n in range(26)}
_TABLE: Final = str.maketrans(_SMALL_CAPITALS | _BOXES)
_DRESSED: Final = re.compile(f"[{''.join(_SMALL_CAPITALS)}\U0001f150-\U0001f1ff]")
_FLAG_LETTER: Final = "[\U0001f1e6-\U0001f1ff]"
# Two together are a flag.
_INDICATOR: Final = re.compile(f"{_FLAG_LETTER}(?<!{_FLAG_LETTER}.)(?!{_FLAG_LETTER})")


def compose(text: str) -> str:
    """Return the text in NFKC (Unicode Standard Annex 15), as the encoder's own tokenizer reads it.

    A text that would grow to more than twice its length stays: some Arabic ligatures do, but no disguise.
    """
    composed = unicodedata.normalize("NFKC", text)
    return composed if len(composed) <= 2 * len(text) else text


def undress(text: str) -> str:
    """Return composed text with small capitals and boxed letters as letters."""
    if text.isascii() or not _DRESSED.search(text):
        return text
    text = text.translate(_TABLE)
    return _INDICATOR.sub(lambda match: chr(ord(match[0]) - 0x1F1E6 + ord("A")), text)
