"""Number plates of Chinese vehicles."""

from __future__ import annotations

import re
from collections.abc import Iterator

from waypost.guard.pii.finding import Finding
from waypost.guard.pii.recognisers.base import CUED

__all__ = ["LicensePlate"]

_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z][·•. ]?"
    r"(?=[A-HJ-NP-Z]{0,5}[0-9])(?:[A-HJ-NP-Z0-9]{5,6}|[A-HJ-NP-Z0-9]{4}[挂学警港澳])(?![0-9A-Za-z])"
)


class LicensePlate:
    """A province, a letter, and five characters; six on the green plates of electric cars."""

    name = "license_plate"
    types = frozenset({"LICENSE_PLATE"})

    def find(self, text: str) -> Iterator[Finding]:
        """Find plates."""
        if text.isascii():
            return
        for match in _PLATE.finditer(text):
            yield Finding(match.start(), match.end(), "LICENSE_PLATE", CUED, self.name)
