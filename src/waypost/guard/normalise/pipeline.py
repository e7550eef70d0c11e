"""All transformations, one after the other, piece by piece."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from waypost.guard.normalise.backwards import turn_round
from waypost.guard.normalise.base32 import decode_base32
from waypost.guard.normalise.base64 import decode_base64
from waypost.guard.normalise.compatibility import compose, undress
from waypost.guard.normalise.entities import resolve_entities
from waypost.guard.normalise.escapes import unescape
from waypost.guard.normalise.hexadecimal import decode_hexadecimal
from waypost.guard.normalise.homoglyphs import fold_homoglyphs
from waypost.guard.normalise.invisible import reveal
from waypost.guard.normalise.leetspeak import unleet
from waypost.guard.normalise.lettercase import lower
from waypost.guard.normalise.marks import strip_marks
from waypost.guard.normalise.percent import unquote
from waypost.guard.normalise.rot13 import unrotate
from waypost.guard.normalise.spaced import close_up

__all__ = ["LIMIT", "Normalised", "normalise", "readings"]

LIMIT: Final = 65_536
"""Characters of a text that are looked at, and the length of each reading at most."""
_DEPTH: Final = 2
"""How often what was decoded is decoded again."""

# Decoding comes before what would change an island's letters.
_CLEAN: Final[tuple[Callable[[str], str], ...]] = (
    reveal, undress, strip_marks, fold_homoglyphs, unescape, resolve_entities, unquote,
    decode_base64, decode_base32, decode_hexadecimal, close_up, unleet, lower,
)  # fmt: skip
_PIECE: Final = re.compile(r"\S{0,4096}(?:[\s\S]{0,1024}(?=\s|\Z))?")
"""Some thousand characters that end before white space. Only a longer word is cut, where Base64 can bear it."""


@dataclass(frozen=True, slots=True)
class Normalised:
    """Other readings of a text."""

    readings: tuple[str, ...]
    """At most three: cleaned, unrotated, turned round. Of a long text only the pieces that differ."""
    skipped_characters: int
    """At the end of the text, and of readings that grew too long."""


def readings(text: str) -> tuple[str, ...]:
    """Return what else the text may be meant to say; empty for plain text."""
    return normalise(text).readings


def normalise(text: str) -> Normalised:
    """Find the other readings of a text's first :data:`LIMIT` characters. Linear in their number."""
    columns: tuple[list[str], ...] = ([], [], [])
    for match in _PIECE.finditer(text[:LIMIT]):
        for column, reading in zip(columns, _of_piece(match[0]), strict=True):
            if reading:
                column.append(reading)
    whole = dict.fromkeys("\n".join(column) for column in columns if column)
    skipped = max(0, len(text) - LIMIT) + sum(max(0, len(reading) - LIMIT) for reading in whole)
    return Normalised(tuple(reading[:LIMIT] for reading in whole), skipped)


def _of_piece(piece: str) -> Iterator[str]:
    """Yield the reading of each sort, empty where it says nothing new."""
    seen = compose(piece)
    clean = _cleaned(seen)
    rotated = unrotate(clean)
    turned = turn_round(rotated)
    for before, after in ((seen, clean), (clean, rotated), (rotated, turned)):
        yield after if after != before else ""


def _cleaned(text: str) -> str:
    for _ in range(_DEPTH):
        before = text
        for transform in _CLEAN:
            text = transform(text)
        if text == before:
            break
        text = compose(text)
    return text
