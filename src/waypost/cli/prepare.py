"""``waypost prepare``."""

from __future__ import annotations

import sys

__all__ = ["prepare"]


def prepare() -> None:
    """Fetch and convert the sentence encoder, once, where the package comes without one.

    `serve` does the same at its first start.
    """
    from waypost.inference.prepare import location, prepare
    from waypost.inference.shipped import shipped

    print(shipped() or prepare(location(), lambda line: print(line, file=sys.stderr)))
