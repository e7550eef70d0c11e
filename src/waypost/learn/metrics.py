"""Figures of merit in plain numpy, so that evaluation needs no extra.

Rates are in [0, 1]. A figure that does not apply (a recall without positives) is None, never 0 or NaN.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Floats",
    "area_under_curve",
    "classification",
    "confusion",
    "expected_calibration_error",
    "f1_of",
    "groups",
    "latency",
    "ratio",
    "recall_at",
    "reliability",
    "span_figures",
]

Floats: TypeAlias = NDArray[np.float64]
Figures: TypeAlias = dict[str, Any]
Span: TypeAlias = tuple[int, int, str]


def ratio(part: float, whole: float) -> float | None:
    """``part / whole`` to four digits, or None where nothing was counted."""
    return round(float(part) / float(whole), 4) if whole else None


def f1_of(hits: int, found: int, wanted: int) -> Figures:
    """Precision, recall and F1 from the number of right answers, of all answers and of those wanted."""
    return {"precision": ratio(hits, found), "recall": ratio(hits, wanted), "f1": ratio(2 * hits, found + wanted)}


def classification(truth: Sequence[str], guesses: Sequence[str]) -> Figures:
    """Accuracy, macro-F1 and the figures of each class. Macro-F1 averages over the classes that occur in ``truth``."""
    per_class = {}
    for label in sorted(set(truth)):
        hits = sum(t == g == label for t, g in zip(truth, guesses, strict=True))
        per_class[label] = f1_of(hits, guesses.count(label), truth.count(label)) | {"n": truth.count(label)}
    right = sum(t == g for t, g in zip(truth, guesses, strict=True))
    scores = [figures["f1"] for figures in per_class.values()]
    return {"accuracy": ratio(right, len(truth)), "macro_f1": ratio(sum(scores), len(scores)), "per_class": per_class}


def confusion(truth: Sequence[str], guesses: Sequence[str], labels: Sequence[str]) -> NDArray[np.int64]:
    """Count rows by true label (line) and guess (column). Guesses outside ``labels`` are left out."""
    place = {label: index for index, label in enumerate(labels)}
    table = np.zeros((len(labels), len(labels)), np.int64)
    for wanted, guess in zip(truth, guesses, strict=True):
        if guess in place:
            table[place[wanted], place[guess]] += 1
    return table


def area_under_curve(scores: Sequence[float], positive: Sequence[bool]) -> float | None:
    """Chance that a positive scores above a negative, ties counting half; None without both kinds."""
    values, flags = np.asarray(scores, np.float64), np.asarray(positive, bool)
    positives, negatives = int(flags.sum()), int((~flags).sum())
    if not positives or not negatives:
        return None
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return ratio(ranks[flags].sum() - positives * (positives + 1) / 2, positives * negatives)


def recall_at(ranked: Sequence[Sequence[str]], wanted: Sequence[Iterable[str]], depth: int) -> float | None:
    """Mean share of the wanted items that are among the first ``depth``."""
    shares = []
    for order, items in zip(ranked, map(set, wanted), strict=True):
        shares.append(len(items.intersection(order[:depth])) / len(items))
    return ratio(sum(shares), len(shares))


def span_figures(truth: Sequence[Sequence[Span]], found: Sequence[Sequence[Span]]) -> Figures:
    """Compare spans row by row.

    ``precision``, ``recall``, ``f1``: a span is right only with both its ends and its type. ``overlap_recall`` is the
    share of true spans that one of the same type touches. ``false_span_rate`` is the share of rows with a span that
    touches no true one, whatever its type; ``clean_false_span_rate`` the same over rows that hold no personal data.
    """
    rows = [(set(wanted), set(got)) for wanted, got in zip(truth, found, strict=True)]
    false = [any(not _touches_any(span, wanted) for span in got) for wanted, got in rows]
    clean = [flag for flag, (wanted, _) in zip(false, rows, strict=True) if not wanted]
    kinds = sorted({kind for wanted, got in rows for _, _, kind in wanted | got})
    return {
        **_strict([(wanted, got) for wanted, got in rows]),
        "per_type": {kind: _of_type(rows, kind) for kind in kinds},
        "false_span_rate": ratio(sum(false), len(false)),
        "clean_false_span_rate": ratio(sum(clean), len(clean)),
        "clean_n": len(clean),
    }


def _strict(rows: Sequence[tuple[set[Span], set[Span]]]) -> Figures:
    hits = sum(len(wanted & got) for wanted, got in rows)
    return f1_of(hits, sum(len(got) for _, got in rows), sum(len(wanted) for wanted, _ in rows))


def _of_type(rows: Sequence[tuple[set[Span], set[Span]]], kind: str) -> Figures:
    own = [({s for s in wanted if s[2] == kind}, {s for s in got if s[2] == kind}) for wanted, got in rows]
    spans = sum(len(wanted) for wanted, _ in own)
    touched = sum(_touches_any(span, got) for wanted, got in own for span in wanted)
    return _strict(own) | {"overlap_recall": ratio(touched, spans), "n": spans}


def _touches_any(span: Span, others: Iterable[Span]) -> bool:
    return any(span[0] < end and start < span[1] for start, end, _ in others)


def groups(names: Sequence[str], flags: Sequence[bool], figure: str) -> dict[str, Figures]:
    """Share of true flags by name: ``{"zh": {"n": 195, "accuracy": 0.97}}`` for the figure ``accuracy``."""
    found: dict[str, list[bool]] = defaultdict(list)
    for name, flag in zip(names, flags, strict=True):
        found[name].append(flag)
    return {name: {"n": len(kept), figure: ratio(sum(kept), len(kept))} for name, kept in sorted(found.items())}


def reliability(confidence: Floats, right: NDArray[np.bool_], bins: int = 10) -> list[dict[str, float]]:
    """Mean confidence, observed accuracy and rows of each equally wide bin that holds a row."""
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    table = []
    for index in np.unique(place):
        inside = place == index
        means = {"confidence": confidence[inside].mean(), "accuracy": right[inside].mean()}
        table.append({name: round(float(value), 4) for name, value in means.items()} | {"n": int(inside.sum())})
    return table


def expected_calibration_error(confidence: Floats, right: NDArray[np.bool_]) -> float | None:
    """Mean distance between confidence and accuracy over ten bins, weighted by rows (Naeini et al., 2015)."""
    table = reliability(confidence, right)
    return ratio(sum(row["n"] * abs(row["confidence"] - row["accuracy"]) for row in table), len(confidence))


def latency(seconds: Sequence[float]) -> Figures:
    """Percentiles in milliseconds; None when nothing was timed."""
    if not seconds:
        return {"p50": None, "p99": None}
    median, worst = np.percentile(np.asarray(seconds) * 1000, (50, 99))
    return {"p50": round(float(median), 2), "p99": round(float(worst), 2)}
