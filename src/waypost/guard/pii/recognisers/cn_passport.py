"""Passports and travel permits of China."""

from __future__ import annotations

import re
from collections.abc import Iterator

from waypost.guard.pii.finding import Finding
from waypost.guard.pii.recognisers.base import CUED, WEAK, before, cues

__all__ = ["CnPassport"]

_NUMBER = re.compile(
    r"[EGDSPHM](?<![0-9A-Za-z_.-].)(?:[0-9]{8}|(?<=E)[A-HJ-NP-Z][0-9]{7}|(?<=[DSP])E[0-9]{7})(?![0-9A-Za-z_])"
)
_CUES = cues(r"chinese passport|china passport|passport", "护照|通行证")


class CnPassport:
    """``E`` or ``G`` and eight digits, ``E``, a letter and seven digits, and the official kinds."""

    name = "cn_passport"
    types = frozenset({"CN_PASSPORT"})

    def find(self, text: str) -> Iterator[Finding]:
        """Find numbers; weak without the word before them."""
        for match in _NUMBER.finditer(text):
            score = CUED if before(text, match.start(), _CUES, 24) else WEAK
            yield Finding(match.start(), match.end(), "CN_PASSPORT", score, self.name)
