r"""Letters as escapes of programming languages: ``\u0069``, ``\x69``, ``\U00000069``, ``\u{69}``."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["unescape"]

_ESCAPE: Final = re.compile(r"\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2}))")


def unescape(text: str) -> str:
    """Replace escapes of letters and spaces; halves of surrogate pairs are joined."""
    if "\\" not in text:
        return text
    return _joined(_ESCAPE.sub(_letter, text))


def _letter(match: re.Match[str]) -> str:
    code = int(match[match.lastindex or 1], 16)
    letter = chr(code) if code <= 0x10FFFF else ""
    return letter if letter.isalpha() or letter == " " or 0xD800 <= code < 0xE000 else match[0]


def _joined(text: str) -> str:
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        return text
