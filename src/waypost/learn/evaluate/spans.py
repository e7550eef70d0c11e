"""Personal data: spans against spans."""

from __future__ import annotations

import time
from pathlib import Path

from waypost.errors import DataError
from waypost.learn.evaluate.evidence import Evaluation, Evidence, Say
from waypost.learn.metrics import latency, span_figures
from waypost.learn.served import Served
from waypost.learn.tables import Row, read_table

__all__ = ["evaluate_pii"]

_REPORT_EVERY = 500


async def evaluate_pii(served: Served, path: Path, say: Say) -> Evaluation:
    """Evaluate on rows with ``text`` and ``spans``: ``[[start, end, type], …]``, in characters, the end exclusive."""
    rows = read_table(path, {"text": str, "spans": list})
    truth = [_spans(path, number, row) for number, row in enumerate(rows, 1)]
    finder = served.finder()
    found, seconds = [], []
    for number, row in enumerate(rows, 1):
        start = time.perf_counter()
        found.append([(span[0], span[1], span[2]) for span in await finder.find(row["text"])])
        seconds.append(time.perf_counter() - start)
        if number % _REPORT_EVERY == 0:
            say(f"{number} of {len(rows)} rows")
    figures = {"task": "pii", "n": len(rows), **span_figures(truth, found), "milliseconds": latency(seconds)}
    return Evaluation(figures, Evidence(seconds=seconds))


def _spans(path: Path, number: int, row: Row) -> list[tuple[int, int, str]]:
    try:
        spans = [(int(start), int(end), str(kind)) for start, end, kind in row["spans"]]
    except (TypeError, ValueError) as error:
        raise DataError(f"{path}: row {number}: a span is [start, end, type]") from error
    if not all(0 <= start < end <= len(row["text"]) for start, end, _ in spans):
        raise DataError(f"{path}: row {number}: a span lies outside of the text")
    return spans
