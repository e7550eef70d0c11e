"""What of a value may be shown."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

__all__ = ["with_userinfo", "without_userinfo"]

_USERINFO: Final = re.compile(r"\b([A-Za-z][A-Za-z0-9+.-]*://)([^/?#\s]*)@")
_BEHIND: Final = re.compile(r"""(?:\[[^\s\]]*\])?[^\s"'`\\<>,;()\[\]{}]*""")
"""What follows the @ in a URL; a bracket is part of an IPv6 address only."""

_Urls = dict[str, list[re.Match[str]]]
"""Where each URL with a ``***`` stands, in the order of the text."""


def without_userinfo(text: str) -> str:
    """``https://user:key@host`` → ``https://***@host``."""
    return _USERINFO.sub(r"\1***@", text)


def with_userinfo(text: str, original: str) -> str:
    """Put back what :func:`without_userinfo` hid of ``original`` into an edited copy of what it returned.

    A ``***`` stands for what was before the same URL: the same scheme, and the same behind the @. Raises ValueError
    where there was none, or it cannot be told which.
    """
    shown = without_userinfo(original)
    hidden = {
        masked.start(): whole[2]
        for masked, whole in zip(_USERINFO.finditer(shown), _USERINFO.finditer(original), strict=True)
    }
    had, found = _urls(shown), dict[int, str]()
    for url, places in _urls(text).items():
        before = had.get(url, [])
        values = [hidden[place.start()] for place in before]
        # URLs that look alike are told apart by their order, and only where nothing between them was touched.
        if len(places) > len(before) or (len(set(values)) > 1 and _stretch(text, places) != _stretch(shown, before)):
            raise ValueError(
                f"{url}: *** stands for what the file has there, and it cannot be told what that is;"
                " leave such URLs as they were read, or change the file itself"
            )
        found |= {place.start(): value for place, value in zip(places, values, strict=False)}
    return _USERINFO.sub(lambda place: f"{place[1]}{found[place.start()]}@", text)


def _urls(text: str) -> _Urls:
    urls: _Urls = defaultdict(list)
    for place in _USERINFO.finditer(text):
        behind = _BEHIND.match(text, place.end())
        urls[f"{place[0]}{behind[0] if behind else ''}"].append(place)
    return urls


def _stretch(text: str, places: Sequence[re.Match[str]]) -> str:
    """Everything from the first to the last of ``places``."""
    return text[places[0].start() : places[-1].end()]
