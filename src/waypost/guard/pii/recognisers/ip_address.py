"""IP addresses, version 4 and 6."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from waypost.guard.pii.finding import Finding
from waypost.guard.pii.recognisers.base import CUED, PROVEN, WEAK, before, cues

__all__ = ["IpAddress"]

_V4 = re.compile(r"[0-9](?<![0-9A-Za-z_.][0-9])[0-9]{0,2}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}(?![0-9A-Za-z_]|\.[0-9])")
_TWO_COLONS = re.compile(r":[0-9A-Fa-f]{0,4}:")
_V6 = re.compile(r"(?<![0-9A-Za-z_:.])[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]{1,44}(?![0-9A-Za-z_:])")
_VERSION = cues(r"version|versions|ver|release|section|chapter|v", "版本|章|节")
_OBJECTS = ("1.2.840.", "1.3.6.1", "2.5.4.", "2.5.29.")
"""Roots of the object identifiers in certificates and SNMP."""
_SMALL = 32
_GROUPS = 8


class IpAddress:
    """Addresses that may lead to a person: loopback, multicast, ``0.0.0.0`` and netmasks are left out."""

    name = "ip_address"
    types = frozenset({"IP_ADDRESS"})

    def find(self, text: str) -> Iterator[Finding]:
        """Find addresses; what may be a version or a C++ name is weak."""
        if "." in text:
            yield from self._v4(text)
        if _TWO_COLONS.search(text):
            yield from self._v6(text)

    def _v4(self, text: str) -> Iterator[Finding]:
        for match in _V4.finditer(text):
            if _leads_somewhere(match[0], IPv4Address) and not match[0].startswith("255."):
                small = all(int(part) < _SMALL for part in match[0].split(".")) or match[0].startswith(_OBJECTS)
                score = WEAK if small or before(text, match.start(), _VERSION, 12) else CUED
                yield Finding(match.start(), match.end(), "IP_ADDRESS", score, self.name)

    def _v6(self, text: str) -> Iterator[Finding]:
        for match in _V6.finditer(text):
            with_port = match[0].count(":") == _GROUPS
            written = match[0].rpartition(":")[0] if with_port else match[0]
            if _leads_somewhere(written, IPv6Address) and not written.startswith("ffff:"):
                score = PROVEN if _is_distinct(written) else WEAK
                yield Finding(match.start(), match.start() + len(written), "IP_ADDRESS", score, self.name)


def _leads_somewhere(written: str, kind: type[IPv4Address | IPv6Address]) -> bool:
    try:
        address = kind(written)
    except AddressValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or address.is_multicast)


def _is_distinct(written: str) -> bool:
    """Whether this cannot be a name of C++ such as ``a::b``."""
    groups = [group for group in written.split(":") if group]
    return len(groups) > 3 or (len(groups) > 1 and any(len(group) == 4 for group in groups))
