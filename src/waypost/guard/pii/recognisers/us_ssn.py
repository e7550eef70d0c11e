"""Social security numbers of the United States."""

from __future__ import annotations

import re
from collections.abc import Iterator

from waypost.guard.pii.finding import Finding
from waypost.guard.pii.recognisers.base import CUED, LIKELY, PLAUSIBLE, PROVEN, WEAK, cues, last_cue

__all__ = ["UsSsn"]

_NUMBER = re.compile(
    r"[0-9](?<![0-9A-Za-z_.$][0-9])(?<![0-9][-,][0-9])[0-9]{2}"
    r"(?P<mark>[- .]?)(?P<group>[0-9]{2})(?P=mark)(?P<serial>[0-9]{4})(?![0-9A-Za-z_]|[.,-][0-9])"
)
_CUES = cues(
    r"(?P<yes>ssns?|social security|soc sec|social insurance|tax(?:payer)? id)"
    r"|(?P<no>phone|tel|zip|order|tracking|isbn|licen[cs]e|dmv|dl|passport|card|account|invoice|ein|vat)",
    "(?P<y>社会安全号|社安号)|(?P<n>电话|手机|订单|单号)",
)


class UsSsn:
    """``123-45-6789``, without the numbers that are never given out; nine digits alone need the word before them."""

    name = "us_ssn"
    types = frozenset({"US_SSN"})

    def find(self, text: str) -> Iterator[Finding]:
        """Find numbers."""
        for match in _NUMBER.finditer(text):
            if _is_given_out(match[0][:3], match["group"], match["serial"]):
                score = _sureness(match["mark"], last_cue(text, match.start(), _CUES))
                yield Finding(match.start(), match.end(), "US_SSN", score, self.name)


def _is_given_out(area: str, group: str, serial: str) -> bool:
    """SSA, https://www.ssa.gov/kc/SSAFactSheet--IssuingSSNs.pdf: no 000, 666 or 9xx, no group 00, no serial 0000."""
    return area not in {"000", "666"} and area < "900" and group != "00" and serial != "0000"


def _sureness(mark: str, cue: str) -> float:
    if cue.startswith("y"):
        return PROVEN if mark else CUED
    if cue or not mark:
        return WEAK
    return LIKELY if mark == "-" else PLAUSIBLE
