"""Masking a whole request."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from waypost.guard.pii.finding import Finding
from waypost.guard.pii.vault import Vault
from waypost.wire.document import Document
from waypost.wire.edits import Edits
from waypost.wire.texts import TextPlace, replace

__all__ = ["mask"]

_UNSPACED: Final = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
"""Thai, Lao, Japanese, Chinese; and Korean, which writes its particles onto the words."""
_LETTER: Final = rf"[^\W_{_UNSPACED}]"
_WORD: Final = re.compile(rf"{_LETTER}+|\S")
_INSIDE_WORD: Final = re.compile(_LETTER * 2)
_SHORTEST: Final = 4
"""Characters of ASCII that are repeated by intent and not by chance; a Chinese name has two."""
_FEWEST_DIGITS: Final = 6
"""An age or a year is a number like any other wherever it is not found to be one."""


def mask(
    document: Document, places: Sequence[TextPlace], findings: Sequence[Sequence[Finding]]
) -> tuple[Document, Vault]:
    """Mask the findings, one sequence for each place, and every repetition of their values in any other text.

    A recogniser that sees a name in one sentence may miss it in the next, and one miss would tell the model who
    ``<PERSON_1>`` is. Returns the request to go on with, as if the client had sent it, and what restores its answer.
    """
    vault = Vault(place.text for place in places)
    values = _Values(
        (place.text[finding.start : finding.end], finding)
        for place, found in zip(places, findings, strict=True)
        for finding in found
    )
    changes = []
    for place, found in zip(places, findings, strict=True):
        masked = vault.mask(place.text, (*found, *values.repeated(place.text)))
        if masked != place.text:
            changes.append((place, masked))
    edits = Edits(document)
    replace(edits, changes)
    return Document.parse(edits.render()), vault


class _Values:
    """Known values, to be found again as whole words in time linear in the text."""

    def __init__(self, found: Iterable[tuple[str, Finding]]) -> None:
        self._first: dict[str, Finding] = {}
        self._lengths: defaultdict[str, set[int]] = defaultdict(set)
        for value, finding in found:
            word = _WORD.match(value)
            if word and _telling(value):
                self._first.setdefault(value, finding)
                self._lengths[word[0]].add(len(value))

    def repeated(self, text: str) -> Iterator[Finding]:
        for word in _WORD.finditer(text) if self._first else ():
            for length in self._lengths.get(word[0], ()):
                end = word.start() + length
                finding = self._first.get(text[word.start() : end])
                if finding and not _INSIDE_WORD.match(text, end - 1):
                    yield Finding(word.start(), end, finding.type, finding.score, finding.recogniser)


def _telling(value: str) -> bool:
    if value.isdecimal():
        return len(value) >= _FEWEST_DIGITS
    return len(value) >= _SHORTEST or (len(value) > 1 and not value.isascii())
