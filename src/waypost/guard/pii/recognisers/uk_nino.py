"""National insurance numbers of the United Kingdom."""

from __future__ import annotations

import re
from collections.abc import Iterator

from waypost.guard.pii.finding import Finding
from waypost.guard.pii.recognisers.base import LIKELY, PLAUSIBLE, PROVEN, before, cues

__all__ = ["UkNino"]

_DIGITS = re.compile(r"[0-9][0-9] ?[0-9]{2} ?[0-9]{2} ?[A-Da-d](?![0-9A-Za-z_-])")
_LETTERS = re.compile(
    r"(?<![0-9A-Za-z_-])(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\Z", re.IGNORECASE
)
_CUES = cues(r"national insurance|nino|ni (?:number|no)|insurance number")


class UkNino:
    """``QQ 12 34 56 C``, without the prefixes that are never given out (HMRC, NIM39110)."""

    name = "uk_nino"
    types = frozenset({"UK_NINO"})

    def find(self, text: str) -> Iterator[Finding]:
        """Find numbers by their digits, then look at the letters before them."""
        for digits in _DIGITS.finditer(text):
            letters = _LETTERS.search(text, max(0, digits.start() - 3), digits.start())
            if letters:
                form = LIKELY if " " in digits[0] else PLAUSIBLE
                score = PROVEN if before(text, letters.start(), _CUES) else form
                yield Finding(letters.start(), digits.end(), "UK_NINO", score, self.name)
