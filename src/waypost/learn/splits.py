"""What is held out, and whether it lurks in the training set: by equal text, and by shared runs of eight words."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["Leak", "find_leaks", "is_held_out"]

SHINGLE = 8
"""Words of a run; Chinese, Japanese and Korean characters count as words."""
TOLERATED = 0.2
"""Share of a text's runs that may stand in training texts, as quotes and formulas do."""

_WORDS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_]+")


@dataclass(frozen=True, slots=True)
class Leak:
    """A development text that a training text gives away."""

    text: str
    seen_in: str
    share: float
    """Of the development text's runs; 1 when the texts are equal but for case, width and punctuation."""


def find_leaks(train: Iterable[str], held_out: Sequence[str]) -> list[Leak]:
    """Compare every text of ``held_out`` with every one of ``train``."""
    words = [_words(text) for text in held_out]
    runs = [_runs(split) for split in words]
    twins, holders = _twins(words), _holders(runs)
    leaks = []
    for text in train:
        split = _words(text)
        shared = Counter(number for run in _runs(split) for number in holders.get(run, ()))
        shares = {number: count / len(runs[number]) for number, count in shared.items()}
        shares |= dict.fromkeys(twins.get(split, ()), 1.0)
        leaks += [Leak(held_out[number], text, share) for number, share in shares.items() if share > TOLERATED]
    return leaks


def is_held_out(text: str, share: float = 0.1) -> bool:
    """Decide by the text alone whether it is kept for development, so that the split stays when rows are added."""
    digest = hashlib.sha256(text.encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:4]) < share * 2**32


def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORDS.findall(unicodedata.normalize("NFKC", text).casefold()))


def _runs(words: tuple[str, ...]) -> set[tuple[str, ...]]:
    return {words[index : index + SHINGLE] for index in range(len(words) - SHINGLE + 1)}


def _twins(words: Sequence[tuple[str, ...]]) -> dict[tuple[str, ...], list[int]]:
    """The numbers of the texts, by their words."""
    found: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, split in enumerate(words):
        found[split].append(number)
    return found


def _holders(runs: Sequence[set[tuple[str, ...]]]) -> dict[tuple[str, ...], list[int]]:
    """The numbers of the texts, by each of their runs."""
    found: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, held in enumerate(runs):
        for run in held:
            found[run].append(number)
    return found
