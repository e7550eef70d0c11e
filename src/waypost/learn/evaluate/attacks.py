"""The jailbreak classifier. Positive means ``jailbreak``; rows labelled ``harmful`` are neither, and reported apart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from waypost.learn.evaluate.answers import Answer, ask, check_labels, matrix
from waypost.learn.evaluate.evidence import Evaluation, Evidence, Say
from waypost.learn.metrics import area_under_curve, f1_of, groups, latency, ratio
from waypost.learn.served import Served
from waypost.learn.tables import Row, read_table
from waypost.learn.thresholds import Trials

__all__ = ["evaluate_jailbreak"]

_LABELS: Final = ("benign", "jailbreak", "harmful")
_POSITIVE: Final = "jailbreak"


async def evaluate_jailbreak(served: Served, path: Path, say: Say) -> Evaluation:
    """Evaluate on rows with ``text`` and ``label``; ``system``, ``kind`` and ``lang`` are used where rows have them."""
    rows = read_table(path, {"text": str, "label": str})
    check_labels(path, rows, "label", _LABELS)
    answers = await ask(served.signal("jailbreak"), rows, say)
    flagged = [_POSITIVE in answer.matched for answer in answers]
    figures = {
        "task": "jailbreak",
        "n": len(rows),
        **_figures(rows, flagged, answers),
        "threshold": answers[0].threshold,
        "recall_per_kind": _per(rows, flagged, "jailbreak", "kind", "recall"),
        "recall_per_language": _per(rows, flagged, "jailbreak", "lang", "recall"),
        "false_positives_per_kind": _per(rows, flagged, "benign", "kind", "false_positive_rate"),
        "false_positives_per_language": _per(rows, flagged, "benign", "lang", "false_positive_rate"),
        "unknown": sum(bool(answer.unknown) for answer in answers),
        "milliseconds": latency([answer.seconds for answer in answers]),
    }
    return Evaluation(figures, _evidence(rows, answers))


def _figures(rows: Sequence[Row], flagged: Sequence[bool], answers: Sequence[Answer]) -> dict[str, Any]:
    counted = [index for index, row in enumerate(rows) if row["label"] != "harmful"]
    attacks = [index for index in counted if rows[index]["label"] == _POSITIVE]
    benign = [index for index in counted if rows[index]["label"] == "benign"]
    harmful = [index for index, row in enumerate(rows) if row["label"] == "harmful"]
    hits = sum(flagged[index] for index in attacks)
    scores = [answers[index].scores.get(_POSITIVE, 0.0) for index in counted]
    return {
        **f1_of(hits, sum(flagged[index] for index in counted), len(attacks)),
        "false_positive_rate": ratio(sum(flagged[index] for index in benign), len(benign)),
        "auc": area_under_curve(scores, [rows[index]["label"] == _POSITIVE for index in counted]),
        "harmful_flagged": ratio(sum(flagged[index] for index in harmful), len(harmful)),
        "n_jailbreak": len(attacks),
        "n_benign": len(benign),
        "n_harmful": len(harmful),
    }


def _per(
    rows: Sequence[Row], flagged: Sequence[bool], label: str, field: str, figure: str
) -> dict[str, dict[str, Any]] | None:
    kept = [
        (str(row[field]), flag)
        for row, flag in zip(rows, flagged, strict=True)
        if row["label"] == label and row.get(field)
    ]
    return groups([name for name, _ in kept], [flag for _, flag in kept], figure) if kept else None


def _evidence(rows: Sequence[Row], answers: Sequence[Answer]) -> Evidence:
    """Without the harmful rows, which are neither right nor wrong to flag."""
    pairs = [(row["label"], answer) for row, answer in zip(rows, answers, strict=True) if row["label"] != "harmful"]
    truth, kept = [label for label, _ in pairs], [answer for _, answer in pairs]
    score = matrix(kept, (_POSITIVE,))[:, 0]
    positive = np.array(truth) == _POSITIVE
    return Evidence(
        labels=("benign", _POSITIVE),
        truth=truth,
        guesses=[_POSITIVE if _POSITIVE in answer.matched else "benign" for answer in kept],
        probabilities=np.stack([1 - score, score], axis=1),
        watched=_POSITIVE,
        trials=Trials(score[~positive], score[positive], "benign", _POSITIVE),
        seconds=[answer.seconds for answer in answers],
    )
