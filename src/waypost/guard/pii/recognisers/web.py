"""Links and domain names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address
from itertools import chain

from waypost.guard.pii.finding import Finding
from waypost.guard.pii.recognisers.base import CUED, LIKELY, WEAK, leftmost
from waypost.guard.pii.tlds import KNOWN, PLAIN

__all__ = ["Web"]

_REST = r"[^\s<>\"'`{}|\\^\u2018-\u201d\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]"
_LINK = re.compile(rf"(?<![A-Za-z])(?i:https?|ftp)://(?P<host>[^\s/?#:<>\"'`{{}}|\\^]{{1,253}}){_REST}{{0,2000}}")
_ENDING = re.compile(r"\.(?P<tld>[A-Za-z]{2,24})(?![A-Za-z0-9_@(\[=-]|\.[A-Za-z0-9])")
_PATH = re.compile(rf"(?::[0-9]{{2,5}})?(?:/{_REST}{{0,2000}})?")
_LABELS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-äöüéèßñçåæø")
_NOT_BEFORE = frozenset("@/\\_$`")
_LONGEST = 253
_PRODUCTS = frozenset({"asp.net", "vb.net", "ado.net", "ml.net", "paint.net"})


class Web:
    """``https://host/path``, ``www.host.tld`` and ``host.tld``, the path included.

    File names and attributes that look like a domain (``main.py``, ``logger.info``) are weak.
    """

    name = "web"
    types = frozenset({"DOMAIN_NAME", "URL"})

    def find(self, text: str) -> Iterator[Finding]:
        """Find links first, then names outside of links."""
        return leftmost(chain(self._links(text), self._names(text)) if "." in text else ())

    def _links(self, text: str) -> Iterator[Finding]:
        if "://" not in text:
            return
        for match in _LINK.finditer(text):
            host = match["host"].rpartition("@")[2].rstrip(".,;!)]").lower()
            end = match.start() + len(_trimmed(match[0]))
            if host.rpartition(".")[2] in KNOWN and "." in host:
                yield Finding(match.start(), end, "DOMAIN_NAME", CUED, self.name)
            elif _is_public_ip(host):
                yield Finding(match.start(), end, "URL", CUED, self.name)

    def _names(self, text: str) -> Iterator[Finding]:
        for match in _ENDING.finditer(text):
            if match["tld"].lower() not in KNOWN:
                continue
            start = _first_label(text, match.start())
            host = text[start : match.end()]
            if not host[0].isalnum() or ".." in host or text[start - 1 : start] in _NOT_BEFORE:
                continue
            path = _PATH.match(text, match.end())
            end = match.end() + len(_trimmed(path[0])) if path else match.end()
            yield Finding(start, end, "DOMAIN_NAME", _sureness(host), self.name)


def _sureness(host: str) -> float:
    lower = host.lower()
    if lower.startswith("www."):
        return CUED
    name, _, ending = lower.rpartition(".")
    one_case = host in {lower, host.upper()}
    plain = ending in PLAIN and lower not in _PRODUCTS and len(name) > 1 and not name.isdigit()
    return LIKELY if one_case and plain else WEAK


def _first_label(text: str, dot: int) -> int:
    start, limit = dot, max(0, dot - _LONGEST)
    while start > limit and text[start - 1] in _LABELS:
        start -= 1
    return start


def _trimmed(link: str) -> str:
    """Drop the punctuation of the sentence around a link; a bracket stays when it was opened inside."""
    link = link.rstrip(".,;:!?*")
    while link.endswith((")", "]")) and link.count(link[-1]) > link.count("(" if link[-1] == ")" else "["):
        link = link[:-1].rstrip(".,;:!?*")
    return link


def _is_public_ip(host: str) -> bool:
    try:
        address = IPv4Address(host)
    except AddressValueError:
        return False
    return not (address.is_loopback or address.is_unspecified)
