"""E-mail addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator

from waypost.guard.pii.finding import Finding
from waypost.guard.pii.recognisers.base import PLAUSIBLE, PROVEN
from waypost.guard.pii.tlds import KNOWN, known_host

__all__ = ["Email"]

_WORD = "A-Za-z0-9À-ɏ"
_ADDRESS = re.compile(
    rf"(?<![{_WORD}._+%-])(?P<user>[{_WORD}][{_WORD}._+%'-]{{0,63}})@(?P<host>[{_WORD}][{_WORD}.-]{{0,189}})"
)
_ENDING = re.compile(r"[A-Za-z]{2,24}")


class Email:
    """``name@host.tld``, also in other scripts' text. Git remotes and matrix products are not."""

    name = "email"
    types = frozenset({"EMAIL_ADDRESS"})

    def find(self, text: str) -> Iterator[Finding]:
        """Find addresses; sure where the top-level domain is known."""
        if "@" not in text:
            return
        for match in _ADDRESS.finditer(text):
            host = known_host(match["host"].rstrip(".-"))
            end = match.start("host") + len(host)
            ending = host.rpartition(".")[2]
            if "." not in host or ".." in host or not _ENDING.fullmatch(ending) or text[end : end + 1] in {"(", "["}:
                continue
            if match["user"] == "git" and text[end : end + 1] in {":", "/"}:
                continue
            yield Finding(match.start(), end, "EMAIL_ADDRESS", _sureness(ending), self.name)


def _sureness(ending: str) -> float:
    return PROVEN if ending.lower() in KNOWN else PLAUSIBLE
