"""Letters as character references of HTML: ``&#105;``, ``&#x69;``."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["resolve_entities"]

_REFERENCE: Final = re.compile(r"&(?:amp;)?#(?:[xX]([0-9a-fA-F]{1,6})|([0-9]{1,7}));?")


def resolve_entities(text: str) -> str:
    """Replace numeric references to letters and spaces; those to punctuation are ordinary HTML."""
    return _REFERENCE.sub(_letter, text) if "&" in text else text


def _letter(match: re.Match[str]) -> str:
    code = int(match[1], 16) if match[1] else int(match[2])
    letter = chr(code) if code <= 0x10FFFF else ""
    return letter if letter.isalpha() or letter == " " else match[0]
