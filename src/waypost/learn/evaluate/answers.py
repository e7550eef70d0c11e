"""Asking a signal about every row, one at a time, so that the times are those of a request alone."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from waypost.errors import DataError
from waypost.learn.evaluate.evidence import Say
from waypost.learn.metrics import Floats
from waypost.learn.tables import Row
from waypost.signals.base import Signal
from waypost.types import Message, Request

__all__ = ["Answer", "ask", "check_labels", "matrix", "request_of"]

_REPORT_EVERY = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """What serving says of one text."""

    scores: Mapping[str, float]
    matched: frozenset[str]
    threshold: float | None
    unknown: str
    seconds: float

    @property
    def best(self) -> str:
        """The label with the highest score; empty when there is none."""
        return max(self.scores, key=self.scores.__getitem__, default="")

    @property
    def confidence(self) -> float:
        """The highest score; 0 when there is none."""
        return max(self.scores.values(), default=0.0)


def request_of(text: str, system: str = "") -> Request:
    """Make the request that a client would have sent."""
    before = (Message("system", system),) if system else ()
    return Request(wire="chat", model="MoM", messages=(*before, Message("user", text)), user_text=text)


async def ask(signal: Signal, rows: Sequence[Row], say: Say) -> list[Answer]:
    """Measure ``text`` (and ``system``, where a row has it) of every row."""
    answers = []
    for row in rows:
        request = request_of(row["text"], row.get("system") or "")
        start = time.perf_counter()
        result = await signal.measure(request)
        seconds = time.perf_counter() - start
        answers.append(Answer(result.scores, result.matched, result.threshold, result.unknown, seconds))
        if len(answers) % _REPORT_EVERY == 0:
            say(f"{len(answers)} of {len(rows)} rows")
    return answers


def check_labels(path: Path, rows: Sequence[Row], field: str, known: Sequence[str]) -> None:
    """Raise DataError when a row has a label that is not ``known``."""
    for number, row in enumerate(rows, 1):
        if row[field] not in known:
            raise DataError(f"{path}: row {number}: {row[field]!r} is not one of {', '.join(known)}")


def matrix(answers: Sequence[Answer], labels: Sequence[str]) -> Floats:
    """Scores as an array [rows, labels]; a row of zeros where the answer is unknown."""
    return np.array([[answer.scores.get(label, 0.0) for label in labels] for answer in answers], np.float64)
