"""SHOUTED and aLtErNaTiNg words, which the encoder's vocabulary has hardly any of."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["lower"]

_UPPER: Final = "A-ZÀ-ÖØ-ÞĀĂĄĆČĎĐĒĘĚĞĢĪİĶĻŁŃŅŇŌŐŘŚŞŠŢŤŪŮŰŹŻŽΑ-ΩА-ЯЁІЇЄҐ"
_SHOUTED: Final = re.compile(rf"[{_UPPER}](?<!\w.)[{_UPPER}]*(?:[^\w\n]{{1,3}}[{_UPPER}]+){{2,}}(?!\w)")
_ALTERNATING: Final = re.compile(r"\b[A-Z]?(?:[a-z][A-Z]){2,}[a-z]?\b")
_GLANCE: Final = re.compile(r"[A-Z][a-z][A-Z]")
_ANY_ALTERNATING: Final = re.compile(r"\b[A-Z]?(?:[a-z][A-Z])+[a-z]?\b")
_LEAST: Final = 12


def lower(text: str) -> str:
    """Write in lower case what is shouted in three words or more, and words of alternating case."""
    text = _SHOUTED.sub(lambda match: match[0].lower() if len(match[0]) >= _LEAST else match[0], text)
    if not (_GLANCE.search(text) and _ALTERNATING.search(text)):
        return text
    return _ANY_ALTERNATING.sub(lambda match: match[0].lower(), text)
