"""Passports of countries without a checksum in the number."""

from __future__ import annotations

import re
from collections.abc import Iterator

from waypost.guard.pii.finding import Finding
from waypost.guard.pii.recognisers.base import CUED, before, cues

__all__ = ["Passport"]

_NUMBER = re.compile(r"(?<![0-9A-Za-z_.$-])[A-Za-z]{0,2}[0-9]{6,9}[A-Za-z]?(?![0-9A-Za-z_]|[.,-][0-9])")
_DIGITS = re.compile(r"[0-9]{6}")
_CUES = cues(r"passports?|reisepass|passeport|pasaporte|passaporto|paspoort|paszport")


class Passport:
    """Six to nine digits, with up to two letters before them, close after the word."""

    name = "passport"
    types = frozenset({"PASSPORT"})

    def find(self, text: str) -> Iterator[Finding]:
        """Find numbers that follow the word."""
        if not _DIGITS.search(text) or not _CUES.search(text):
            return
        for match in _NUMBER.finditer(text):
            if before(text, match.start(), _CUES, 32):
                yield Finding(match.start(), match.end(), "PASSPORT", CUED, self.name)
