"""Texts without personal data that look as if they had some: numbers, symbols, capitals, names of things."""

from __future__ import annotations

import re
import sysconfig
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from waypost.learn.examples import read_rows
from waypost.learn.splits import is_held_out

__all__ = ["PIECE", "pieces", "plain_texts", "source_pieces", "without_tells"]

PIECE: Final = 1024
"""Characters of a piece of a long text."""

_TECHNICAL: Final = frozenset({"math", "physics", "computer science", "engineering"})
_TELLS: Final = re.compile(
    r"\w@\w|://|www\.|\b(?i:copyright|authors?|written by|contributed|thanks to|years? old|aged)\b"
    r"|\b(?i:he|she|his|her|him|hers)\b|\b(?:Mr|Mrs|Ms|Dr|Sir|Prof)\b"
    r"|\b(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* [0-9]|(?<![0-9.\[])(?:19[5-9]|20[0-3])[0-9](?!\.?[0-9])"
    r"|\b(?:January|February|March|April|June|July|August|September|October|November|December)\b"
    r"|\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
)
"""What tells that a text may name a person, a day or a host: whoever finds that is not wrong."""
_CAPITALISED: Final = re.compile(r"\b[A-Z][a-z]+")
_WORD: Final = re.compile(r"\b[a-z]+")


def plain_texts(data: Path) -> dict[str, list[str]]:
    """Return texts by what they are, none of which the classifier was fitted to as plain. Raises SetupError."""
    own = [*read_rows(data / "domain_aux_train.jsonl.gz")]
    coding = [*read_rows(data / "jailbreak_dev.jsonl.gz"), *(row for row in own if is_held_out(row["text"]))]
    exams = [row["text"] for row in read_rows(data / "domain_dev.jsonl.gz") if row["label"] in _TECHNICAL]
    return {
        "exam questions": without_tells(exams),
        "word problems": without_tells(_without_names([*_of_source(own, "gsm8k-train")])),
        "coding requests": without_tells(_of_source(coding, "gpteacher-codegen")),
        "Python source": without_tells(source_pieces()),
    }


def without_tells(texts: Iterable[str]) -> list[str]:
    """Leave out what may name somebody's mail, page, day of birth or title."""
    return [text for text in dict.fromkeys(texts) if not _TELLS.search(text)]


def source_pieces() -> Iterator[str]:
    """Yield a piece from the middle of every module of the standard library."""
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        found = pieces(path.read_text("utf-8"))
        if found:
            yield found[len(found) // 2]


def pieces(text: str) -> list[str]:
    """Cut a text into whole lines of at most about :data:`PIECE` characters."""
    found = [""]
    for line in text.splitlines(keepends=True):
        if found[-1] and len(found[-1]) + len(line) > PIECE:
            found.append("")
        found[-1] += line
    return [piece for piece in found if not piece.isspace() and piece]


def _of_source(rows: Iterable[dict[str, Any]], source: str) -> Iterator[str]:
    return (row["text"] for row in rows if row["source"] == source)


def _without_names(texts: Sequence[str]) -> Iterator[str]:
    """Leave out texts with a capitalised word that none of them writes without a capital."""
    common = {word for text in texts for word in _WORD.findall(text)}
    return (text for text in texts if all(word.lower() in common for word in _CAPITALISED.findall(text)))
