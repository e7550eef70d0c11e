"""Driver licences of the United States."""

from __future__ import annotations

import re
from collections.abc import Iterator

from waypost.guard.pii.finding import Finding
from waypost.guard.pii.recognisers.base import CUED, PLAUSIBLE

__all__ = ["UsDriverLicense"]

_CUED = re.compile(
    r"(?<![A-Za-z])(?:(?P<sure>driver'?s?[ -]licen[cs]e|driving[ -]licen[cs]e|licen[cs]e[ -](?:number|no|id)|dl|dmv)"
    r"|licen[cs]e)(?:[ .:#]{1,3}(?:number|num|no|id|issued|is|was|#)){0,3}[ .:#(]{1,4}"
    r"(?P<value>[A-Z]{0,2}[0-9][0-9A-Z-]{4,18})(?![0-9A-Za-z_]|[.,][0-9])",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"[0-9][0-9-]{4}")
_FORM = re.compile(r"[A-Z]{0,2}[0-9]{5,14}|[A-Z]{0,2}[0-9]{2,4}(?:-[0-9]{2,6}){1,3}", re.IGNORECASE)


class UsDriverLicense:
    """States have no form in common: only what a driver licence is said to be is one."""

    name = "us_driver_license"
    types = frozenset({"US_DRIVER_LICENSE"})

    def find(self, text: str) -> Iterator[Finding]:
        """Find numbers that follow the words."""
        if not _DIGITS.search(text):
            return
        for match in _CUED.finditer(text):
            if _FORM.fullmatch(match["value"]):
                score = CUED if match["sure"] else PLAUSIBLE
                yield Finding(match.start("value"), match.end("value"), "US_DRIVER_LICENSE", score, self.name)
