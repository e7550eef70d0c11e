"""Resident identity cards of China."""

from __future__ import annotations

import re
from collections.abc import Iterator

from waypost.guard.pii.checksums import is_date, ric
from waypost.guard.pii.finding import Finding
from waypost.guard.pii.recognisers.base import CUED, PROVEN, before, cues

__all__ = ["CnIdCard"]

_PROVINCE = "(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3])"
_NEW = re.compile(rf"{_PROVINCE}(?<![0-9A-Za-z_.]..)[0-9]{{15}}[0-9Xx](?![0-9A-Za-z_]|\.[0-9])")
_OLD = re.compile(rf"{_PROVINCE}(?<![0-9A-Za-z_.]..)[0-9]{{13}}(?![0-9A-Za-z_]|\.[0-9])")
_CUES = cues(r"id card|identity card|resident id|national id", "身份证|证件号|公民身份")


class CnIdCard:
    """18 characters with a province, a day of birth and a check digit; the 15 digits of before 1999 need the word."""

    name = "cn_id_card"
    types = frozenset({"CN_ID_CARD"})

    def find(self, text: str) -> Iterator[Finding]:
        """Find numbers."""
        for match in _NEW.finditer(text):
            code = match[0]
            if is_date(int(code[6:10]), int(code[10:12]), int(code[12:14])) and ric(code):
                yield Finding(match.start(), match.end(), "CN_ID_CARD", PROVEN, self.name)
        for match in _OLD.finditer(text):
            code = match[0]
            born = is_date(1900 + int(code[6:8]), int(code[8:10]), int(code[10:12]))
            if born and before(text, match.start(), _CUES, 16):
                yield Finding(match.start(), match.end(), "CN_ID_CARD", CUED, self.name)
