"""Top-level domains, as far as they are worth knowing in running text."""

from __future__ import annotations

from typing import Final

__all__ = ["AMBIGUOUS", "KNOWN", "PLAIN", "known_host"]

_PLAIN_WORDS = (
    "ae aero ag ao ar at au az ba bd bg bh biz bo br by ca ch ci cn co com coop cr cu cy cz de dk dz ec edu ee eg es "
    "et eu fi fr gb ge gh gi gov gr gt hk hn hr hu ie il int iq ir jm jo jp ke kg kh kr kw kz lb lk lt lu lv ly ma mg "
    "mil mk mn mo mobi mt mu museum mx mz na net ng ni nl np nz om org pa pe ph pk pt qa ro ru sa se sg si sk sn sy "
    "th tj tn tr tw tz ua ug uk uy uz vn ye za zm zw"
)
_AMBIGUOUS_WORDS = (
    "ac agency ai am app art as be bid blog bz cc cd cf ck cl click cloud club cm company consulting design dev "
    "digital do email finance fm fun ga gg global group gs health hospital host id im in info io is it la law lc "
    "legal li link live mc md me media ml money mov ms my name new news no nu one online page photography pl pm pro "
    "ps py re rs run sc school services sh shop site so solutions space st store studio su support sv systems team "
    "tech tk to tools top travel tv university us va vc ve vg vip website wiki win work works world ws xyz zip"
)

PLAIN: Final = frozenset(_PLAIN_WORDS.split())
"""Rarely anything else than a domain when they follow a dot."""

AMBIGUOUS: Final = frozenset(_AMBIGUOUS_WORDS.split())
"""Also words, file names and attributes (``it.is``, ``main.py``, ``logger.info``)."""

KNOWN: Final = PLAIN | AMBIGUOUS


def known_host(host: str) -> str:
    """Return the longest head of ``host`` that ends in a known top-level domain; all of it when none does.

    ``a.example.com.Then`` is a sentence that lacks a space: the host is ``a.example.com``.
    """
    labels = host.split(".")
    for count in range(len(labels), 1, -1):
        if labels[count - 1].lower() in KNOWN:
            return ".".join(labels[:count])
    return host
