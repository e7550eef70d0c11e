"""Words that the cache knows, in files beside this one. A line is ``meaning: phrase, phrase``; indented lines go on."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files

__all__ = ["lines"]


def lines(name: str) -> Iterator[tuple[str, list[str]]]:
    """Read ``name.txt``: each meaning with its phrases, in lower case."""
    text = (files(__name__) / f"{name}.txt").read_text("utf-8")
    kept = (line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    for line in "\n".join(kept).replace("\n ", " ").splitlines():
        meaning, _, phrases = line.partition(": ")
        yield meaning, [phrase.strip() for phrase in phrases.split(",")]
