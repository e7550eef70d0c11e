"""International bank account numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from waypost.guard.pii.checksums import mod97
from waypost.guard.pii.finding import Finding
from waypost.guard.pii.recognisers.base import PROVEN

__all__ = ["Iban"]

# fmt: off
_REGISTRY: Final = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 "
    "ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 "
    "LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 "
    "PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 "
    "YE30"
)
# fmt: on
_LENGTHS: Final = {entry[:2]: int(entry[2:]) for entry in _REGISTRY.split()}
"""Characters of a country's IBAN: the SWIFT registry, release 99."""

_CHECK = re.compile(r"[0-9](?<=[A-Za-z]{2}.)(?<![0-9A-Za-z]..[0-9])[0-9](?=[ -]?[0-9A-Za-z])")
_BODY = re.compile(r"(?:[ -]?[0-9A-Za-z]){11,30}")
_MARKS = re.compile(r"[ -]")


class Iban:
    """A country's code, its length and MOD 97; in one piece or in groups, in any case."""

    name = "iban"
    types = frozenset({"IBAN_CODE"})

    def find(self, text: str) -> Iterator[Finding]:
        """Find valid numbers."""
        end = 0
        for check in _CHECK.finditer(text):
            start = check.start() - 2
            length = _LENGTHS.get(text[start : start + 2].upper(), 0)
            body = _BODY.match(text, check.end()) if length and start >= end else None
            if body is None:
                continue
            stop = _end_of(text, start, body.end(), length)
            if stop and mod97(_MARKS.sub("", text[start:stop])):
                yield Finding(start, stop, "IBAN_CODE", PROVEN, self.name)
                end = stop


def _end_of(text: str, start: int, limit: int, length: int) -> int:
    """Count ``length`` letters and digits from ``start``; 0 when there are fewer, or the word goes on."""
    for index in range(start, limit):
        length -= text[index].isalnum()
        if not length:
            return 0 if text[index + 1 : index + 2].isalnum() and text[index + 1].isascii() else index + 1
    return 0
