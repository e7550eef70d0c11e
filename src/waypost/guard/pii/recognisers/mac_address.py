"""Hardware addresses of network cards."""

from __future__ import annotations

import re
from collections.abc import Iterator

from waypost.guard.pii.finding import Finding
from waypost.guard.pii.recognisers.base import CUED

__all__ = ["MacAddress"]

_PAIR = "[0-9A-Fa-f]{2}"
_MAC = re.compile(
    rf"(?<![0-9A-Za-z_:.-])(?:{_PAIR}(?P<mark>[:-]){_PAIR}(?:(?P=mark){_PAIR}){{4}}"
    r"|[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4})(?![0-9A-Za-z_:]|[.-][0-9A-Za-z])"
)
_HINT = re.compile(rf"[:.-](?:{_PAIR}[:-]{_PAIR}[:-]|[0-9A-Fa-f]{{4}}\.)")
_NOBODY = frozenset({"0", "f"})


class MacAddress:
    """EUI-48, with colons, hyphens or Cisco's dots. The null and broadcast addresses are left out."""

    name = "mac_address"
    types = frozenset({"MAC_ADDRESS"})

    def find(self, text: str) -> Iterator[Finding]:
        """Find addresses."""
        if not _HINT.search(text):
            return
        for match in _MAC.finditer(text):
            digits = set(match[0].lower()) - {":", "-", "."}
            if len(digits) > 1 or not digits <= _NOBODY:
                yield Finding(match.start(), match.end(), "MAC_ADDRESS", CUED, self.name)
