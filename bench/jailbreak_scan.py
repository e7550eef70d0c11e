"""The jailbreak scan: what a KB of each sort of text costs, and how often harmless rows are taken for attacks."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from statistics import mean
from typing import Final

from pii_finders import milliseconds_per_kb

from waypost.inference.encoder import Encoder
from waypost.inference.reading import ATTACK
from waypost.learn.examples import read_rows
from waypost.learn.plain import source_pieces
from waypost.learn.served import PATIENCE
from waypost.signals.conversation import Conversation, ConversationReader, Passage
from waypost.types import Message, Request

__all__ = ["Alarms", "JailbreakScan", "long_texts"]

_LENGTH: Final = 4096
_COUNT: Final = 2
_PROSE: Final = ("pubmedqa-abstract", "medquad-answer")


@dataclass(frozen=True, slots=True)
class Alarms:
    """Rows of one kind, and how many of them are taken for attacks."""

    kind: str
    attack: bool
    rows: int
    message: int
    """Because of the message as it stands."""
    scan: int
    """Because of the message or one of its views."""


class JailbreakScan:
    """Reads texts as the signal does, each as a request of one message."""

    def __init__(self, runner: asyncio.Runner, encoder: Encoder, max_windows: int) -> None:
        self._loop = runner.get_loop()
        self._threshold = encoder.manifest.threshold(ATTACK)
        self._reader = ConversationReader(encoder, deadline=PATIENCE, max_windows=max_windows)

    def read(self, text: str) -> Conversation:
        """Read the message as it stands."""
        return self._loop.run_until_complete(self._reader.read(_request(text)))

    def scan(self, text: str) -> Conversation:
        """Read the message and its views."""
        return self._loop.run_until_complete(self._reader.scan(_request(text), self._threshold, stop_early=False))

    def costs(self, texts: Sequence[str], seconds: float) -> tuple[float, float]:
        """Return CPU ms per KB of the message alone and of the whole scan; of all the texts, because views differ."""
        together = ["".join(texts)]
        message = milliseconds_per_kb(lambda _: [*map(self.read, texts)], together, seconds)
        return message, milliseconds_per_kb(lambda _: [*map(self.scan, texts)], together, seconds)

    def passes(self, texts: Sequence[str]) -> tuple[float, float]:
        """Return the encoder's passes for a text: over the message, and over its views."""
        found = [_passes(self.scan(text)) for text in texts]
        return mean(message for message, _ in found), mean(views for _, views in found)

    def alarms(self, data: Path, rows: int) -> list[Alarms]:
        """Scan about so many development rows; ``harmful`` ones are neither attacks nor benign."""
        of = [row for row in read_rows(data / "jailbreak_dev.jsonl.gz") if row["label"] != "harmful"]
        kept = sorted(of[:: -(-len(of) // rows)], key=_kind)
        return [self._alarms(*kind, [row["text"] for row in group]) for kind, group in groupby(kept, _kind)]

    def _alarms(self, attack: bool, kind: str, texts: Sequence[str]) -> Alarms:
        message = scan = 0
        for text in texts:
            sure = [one for one in self.scan(text).passages if _probability(one) >= self._threshold]
            message += any(one.view == "message" for one in sure)
            scan += bool(sure)
        return Alarms(kind, attack, len(texts), message, scan)


def long_texts(data: Path) -> dict[str, list[str]]:
    """Return two texts of 4,096 characters of each sort."""
    prose = [row["text"] for row in read_rows(data / "jailbreak_dev.jsonl.gz") if row["source"] in _PROSE]
    aux = read_rows(data / "domain_aux_train.jsonl.gz")
    chinese = [row["text"] for row in aux if row["source"] == "agieval-gaokao-history"]
    encoded = [base64.b64encode(text.encode()).decode() if odd % 2 else text for odd, text in enumerate(prose)]
    return {
        name: _cut(texts)
        for name, texts in (
            ("English prose", prose),
            ("Python source", [*source_pieces()]),
            ("Chinese", chinese),
            ("half of it Base64", encoded),
        )
    }


def _cut(texts: Sequence[str]) -> list[str]:
    whole = "\n".join(texts)
    return [whole[start : start + _LENGTH] for start in range(0, _COUNT * _LENGTH, _LENGTH)]


def _passes(found: Conversation) -> tuple[int, int]:
    """Count each text once: what is read twice is encoded once."""
    messages = {one.text: one.encoding.windows for one in found.passages if one.view == "message"}
    views = {one.text: one.encoding.windows for one in found.passages if one.view != "message"}
    return sum(messages.values()), sum(windows for text, windows in views.items() if text not in messages)


def _probability(passage: Passage) -> float:
    return passage.encoding.probabilities[ATTACK][ATTACK]


def _kind(row: dict[str, str]) -> tuple[bool, str]:
    if row["label"] == "benign":
        return False, row["kind"].replace("_", "-")
    return True, "attack in a document" if row["kind"].startswith("indirect") else "attack"


def _request(text: str) -> Request:
    return Request("chat", "MoM", (Message("user", text),), text)
