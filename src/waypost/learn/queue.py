"""The queue of texts that a person should label next, and the file that no label is lost from."""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from waypost.errors import DataError
from waypost.learn.evaluate.answers import Answer

__all__ = ["Item", "LabelFile", "order"]

_COLUMNS: Final = ("text", "label")


@dataclass(frozen=True, slots=True)
class Item:
    """A text that waits for its label."""

    text: str
    guesses: tuple[tuple[str, float], ...]
    """Labels with their probabilities, the best first."""

    @property
    def margin(self) -> float:
        """Distance of the two best; small means that the classifier hesitates, and a label teaches it most."""
        chances = [chance for _, chance in self.guesses[:2]]
        return chances[0] - chances[1] if len(chances) == 2 else 1.0


def order(texts: Sequence[str], answers: Sequence[Answer]) -> list[Item]:
    """Put the least certain texts first."""
    items = []
    for text, answer in zip(texts, answers, strict=True):
        ranked = sorted(answer.scores.items(), key=lambda pair: -pair[1])
        items.append(Item(text, tuple(ranked)))
    return sorted(items, key=lambda item: item.margin)


class LabelFile:
    """A CSV of ``text,label`` that grows by one synced row a label, so that a crash or a power cut loses none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.rows: list[tuple[str, str]] = []
        """What is in the file, in its order."""
        self._descriptor = -1

    def __enter__(self) -> Self:
        try:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            self.rows = self._read()
        except OSError as error:
            raise DataError(f"cannot keep labels in {self._path}: {error.strerror}") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)

    @property
    def labels(self) -> list[str]:
        """The labels used so far, the most frequent first."""
        return [label for label, _ in Counter(label for _, label in self.rows).most_common()]

    def append(self, text: str, label: str) -> None:
        """Write one row and wait until the disk has it."""
        self._write([(text, label)])
        self.rows.append((text, label))

    def _read(self) -> list[tuple[str, str]]:
        data = self._path.read_bytes()
        whole = _whole(data)
        if len(whole) < len(data):
            # A row cut off by a crash: nobody was told that it is kept, and it would spoil the next one.
            os.truncate(self._path, len(whole))
        if not whole:
            self._write([_COLUMNS])
            return []
        if not whole.endswith(b"\n"):
            os.write(self._descriptor, b"\n")
        try:
            header, *rows = csv.reader(io.StringIO(whole.decode("utf-8-sig"), newline=""), strict=True)
        except (UnicodeDecodeError, csv.Error) as error:
            raise DataError(f"{self._path} is not CSV: {error}") from error
        if tuple(header) != _COLUMNS or any(len(row) != len(_COLUMNS) for row in rows):
            raise DataError(f"{self._path} has other columns than text,label; choose another file")
        return [(text, label) for text, label in rows]

    def _write(self, rows: Iterable[tuple[str, ...]]) -> None:
        buffer = io.StringIO(newline="")
        csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
        data = buffer.getvalue().encode()
        while data:
            data = data[os.write(self._descriptor, data) :]
        os.fsync(self._descriptor)


def _whole(data: bytes) -> bytes:
    """Drop a last row that was cut off. A last row that only lacks its newline, as editors leave it, is complete."""
    start = len(data)
    while start and (start == len(data) or data.count(b'"', 0, start) % 2):
        start = data.rfind(b"\n", 0, start - 1) + 1
    last = data[start:]
    fields = next(csv.reader([last.decode("utf-8", "replace").rstrip("\n")]), [])
    complete = last.count(b'"') % 2 == 0 and len(fields) == len(_COLUMNS) and all(fields)
    return data if complete else data[:start]
