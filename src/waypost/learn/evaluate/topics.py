"""Signals that put a text into one of many classes: ``domain`` and ``language``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from waypost.learn.evaluate.answers import Answer, ask, check_labels, matrix, request_of
from waypost.learn.evaluate.evidence import Evaluation, Evidence, Say
from waypost.learn.metrics import classification, expected_calibration_error, groups, latency, ratio
from waypost.learn.served import Served
from waypost.learn.tables import Row, read_table
from waypost.learn.thresholds import Trials

__all__ = ["evaluate_domain", "evaluate_language"]


async def evaluate_domain(served: Served, path: Path, say: Say) -> Evaluation:
    """Evaluate on rows with ``text`` and ``label``. ``lang`` and ``weak`` add groups where rows have them."""
    rows = read_table(path, {"text": str, "label": str})
    signal = served.signal("domain")
    labels = sorted((await signal.measure(request_of("hello"))).scores)
    check_labels(path, rows, "label", labels)
    answers = await ask(signal, rows, say)
    return _evaluation("domain", rows, [row["label"] for row in rows], answers, labels)


async def evaluate_language(served: Served, path: Path, say: Say) -> Evaluation:
    """Evaluate on rows with ``text`` and ``lang``, an ISO 639-1 code."""
    rows = read_table(path, {"text": str, "lang": str})
    truth = [row["lang"] for row in rows]
    answers = await ask(served.signal("language"), rows, say)
    labels = sorted({*truth, *(answer.best for answer in answers if answer.best)})
    return _evaluation("language", rows, truth, answers, labels)


def _evaluation(
    task: str, rows: Sequence[Row], truth: Sequence[str], answers: Sequence[Answer], labels: Sequence[str]
) -> Evaluation:
    guesses = [answer.best for answer in answers]
    right = [wanted == guess for wanted, guess in zip(truth, guesses, strict=True)]
    confidence = np.array([answer.confidence for answer in answers])
    figures = {
        "task": task,
        "n": len(rows),
        **classification(truth, guesses),
        "per_language": _groups_of(rows, "lang", right),
        "without_topic": _weak(rows, right),
        **_at_threshold(truth, answers),
        "calibration_error": expected_calibration_error(confidence, np.array(right)),
        "unknown": sum(bool(answer.unknown) for answer in answers),
        "milliseconds": latency([answer.seconds for answer in answers]),
    }
    evidence = Evidence(
        labels=labels,
        truth=truth,
        guesses=guesses,
        probabilities=matrix(answers, labels),
        trials=Trials(
            negatives=np.where(right, -np.inf, confidence),
            positives=np.where(right, confidence, -np.inf),
            negative_name="labelled",
            positive_name="labelled",
        ),
        seconds=[answer.seconds for answer in answers],
    )
    return Evaluation(figures, evidence)


def _at_threshold(truth: Sequence[str], answers: Sequence[Answer]) -> dict[str, Any]:
    """What a rule sees: the share of rows that match any class, and how many of these match the right one."""
    matched = [bool(answer.matched) for answer in answers]
    right = sum(wanted in answer.matched for wanted, answer in zip(truth, answers, strict=True))
    return {
        "threshold": answers[0].threshold,
        "matched": ratio(sum(matched), len(answers)),
        "accuracy_of_matched": ratio(right, sum(matched)),
    }


def _groups_of(rows: Sequence[Row], field: str, right: Sequence[bool]) -> dict[str, Any] | None:
    names = [row.get(field) for row in rows]
    return groups([str(name) for name in names], right, "accuracy") if any(names) else None


def _weak(rows: Sequence[Row], right: Sequence[bool]) -> dict[str, Any] | None:
    """Rows marked as naming no topic, apart: nobody can sort "which of these is true?"."""
    flags = [hit for row, hit in zip(rows, right, strict=True) if row.get("weak") is True]
    return {"n": len(flags), "accuracy": ratio(sum(flags), len(flags))} if flags else None
