"""waypost's comparison of pairs without its lists of open-class words: rows and cosines in, scores out, as JSON.

A process of its own, because the lists are read once and kept.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Final

from waypost.cache import words

_LEFT_OUT: Final = frozenset({"aspects", "concepts", "drawn", "forms", "kinds", "opposites", "timely"})
"""What stays is grammar, negations, numerals and units: classes of words that nobody adds to."""

_lines = words.lines


def _without(name: str) -> Iterator[tuple[str, list[str]]]:
    return iter(()) if name in _LEFT_OUT else _lines(name)


words.lines = _without  # before those who take it by name are imported

from waypost.cache.similarity import shipped  # noqa: E402
from waypost.learn.evaluate.similar import compare  # noqa: E402


def main() -> None:
    rows, cosines = json.load(sys.stdin)
    found = compare(rows, cosines, shipped())
    json.dump([None if one.refusal is not None else one.similarity for one in found], sys.stdout)


if __name__ == "__main__":
    main()
