"""A domain classifier for somebody's own categories: a logistic head on the frozen encoder's embedding.

Every choice (penalty, temperature) and every score comes from rows held out in stratified folds; the head that is
kept is fitted on all rows.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from waypost.errors import DataError
from waypost.inference.architecture import Floats
from waypost.inference.encoder import Encoder
from waypost.inference.head import Head
from waypost.learn.bounds import interval
from waypost.learn.calibration import fit_temperature, log_loss, tempered
from waypost.learn.card import own_card
from waypost.learn.embeddings import embed
from waypost.learn.evaluate.evidence import Evaluation, Evidence
from waypost.learn.logistic import Sample, fit
from waypost.learn.metrics import Floats as Doubles
from waypost.learn.metrics import classification, expected_calibration_error
from waypost.learn.splits import find_leaks
from waypost.learn.tables import read_table
from waypost.learn.thresholds import Trials

__all__ = [
    "ENOUGH",
    "Labelled",
    "OwnModel",
    "held_out_evaluation",
    "read_labelled",
    "refuse_leaks",
    "train_own",
    "write_own",
]

ENOUGH: Final = 20
"""Examples that a class should have; fewer are trained on with a warning."""
_FOLDS: Final = 5
_STRENGTHS: Final = (0.004, 0.016, 0.064, 0.25, 1.0, 4.0)
"""Inverse strengths of the L2 penalty that are tried."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Labelled:
    """Texts and their labels, each text once."""

    texts: tuple[str, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class OwnModel:
    """A head, and what it said of each row when it had not been fitted on it."""

    head: Head
    held_out: Doubles
    """Probabilities [rows, labels], before the temperature."""
    facts: dict[str, Any]
    """For the manifest and the model card."""


def read_labelled(path: Path) -> Labelled:
    """Read ``text`` and ``label`` from CSV or JSONL. A text that stands there twice counts once.

    Raises DataError when one text has two labels, there is one class only, or a class has fewer than five texts.
    """
    found: dict[str, str] = {}
    for row in read_table(path, {"text": str, "label": str}):
        text, label = row["text"].strip(), row["label"].strip()
        if not text or not label:
            raise DataError(f"{path}: a text or a label is only white space")
        if found.setdefault(text, label) != label:
            raise DataError(f"{path}: {_short(text)} has two labels, {found[text]} and {label}; keep one")
    counts = Counter(found.values())
    if len(counts) < 2:
        raise DataError(f"{path}: needs two classes or more; all rows are {next(iter(counts))!r}")
    rare = {label: count for label, count in counts.items() if count < _FOLDS}
    if rare:
        names = ", ".join(f"{label} ({count})" for label, count in sorted(rare.items()))
        raise DataError(f"{path}: too few texts of {names}; {_FOLDS} are the least, {ENOUGH} a good start")
    return Labelled(tuple(found), tuple(found.values()))


def refuse_leaks(train: Labelled, dev: Path) -> None:
    """Raise DataError when a training text gives away one of the file ``dev``: equal, or sharing whole passages."""
    leaks = find_leaks(train.texts, [row["text"] for row in read_table(dev, {"text": str, "label": str})])
    if leaks:
        count = len({leak.text for leak in leaks})
        raise DataError(f"{dev}: {count} texts are also in the training rows, such as {_short(leaks[0].text)}")


async def train_own(encoder: Encoder, rows: Labelled, seed: int, say: Say) -> OwnModel:
    """Train on ``rows``. Raises SetupError without scikit-learn, InferenceError when the encoder fails."""
    for label, count in sorted(Counter(rows.labels).items()):
        if count < ENOUGH:
            say(f"warning: {label} has {count} texts; {ENOUGH} are a good start")
    features, _ = await embed(encoder, rows.texts, say)
    labels = sorted(set(rows.labels))
    truth = np.array([labels.index(label) for label in rows.labels], np.int64)
    folds, recipe = _stratified(truth, seed), encoder.manifest.recipe
    tried = {strength: _held_out(features, truth, labels, folds, strength, recipe) for strength in _STRENGTHS}
    losses = {strength: log_loss(tempered(p, fit_temperature(p, truth)), truth) for strength, p in tried.items()}
    strength = min(losses, key=losses.__getitem__)
    raw = tried[strength]
    temperature = round(fit_temperature(raw, truth), 3)
    say(f"penalty C = {strength:g}, temperature {temperature:g}: log loss {losses[strength]:.3f} on held-out folds")
    whole = fit(_sample(features, truth, labels), strength, recipe)
    head = Head(whole.labels, whole.weight, whole.bias, temperature, recipe)
    facts = {
        "data": {"rows": len(truth), "classes": dict(sorted(Counter(rows.labels).items()))},
        "fit": {"C": strength, "seed": seed, "folds": _FOLDS, "class_weights": "balanced"},
        "held_out": _scores(tempered(raw, temperature), truth, labels),
    }
    return OwnModel(head, raw, facts)


def write_own(model: OwnModel, data: Path, directory: Path) -> None:
    """Write the head, its manifest and ``MODEL_CARD.md``; ``data`` is the file that it was trained on."""
    digest = hashlib.sha256(data.read_bytes()).hexdigest()
    facts = model.facts | {"data": {"file": data.name, "sha256": digest, **model.facts["data"]}}
    model.head.save(directory, facts)
    card = own_card(model.head.labels, facts, model.head.recipe)
    (directory / "MODEL_CARD.md").write_text(card, encoding="utf-8")


def held_out_evaluation(model: OwnModel, rows: Labelled) -> Evaluation:
    """Give the held-out answers the form that reports read."""
    labels = model.head.labels
    best = [labels[index] for index in model.held_out.argmax(axis=1)]
    right, top = np.array(best) == np.array(rows.labels), tempered(model.held_out, model.head.temperature).max(axis=1)
    evidence = Evidence(
        labels=labels,
        truth=rows.labels,
        guesses=best,
        probabilities=model.held_out,
        trials=Trials(np.where(right, -np.inf, top), np.where(right, top, -np.inf)),
    )
    return Evaluation({"task": "domain", "n": len(best), **model.facts["held_out"]}, evidence)


def _stratified(truth: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Number the fold of each row; every class is spread evenly over the folds."""
    random = np.random.default_rng(seed)
    folds = np.empty(len(truth), np.int64)
    for label in np.unique(truth):
        places = random.permutation(np.flatnonzero(truth == label))
        folds[places] = (np.arange(len(places)) + random.integers(_FOLDS)) % _FOLDS
    return folds


def _held_out(
    features: Floats,
    truth: NDArray[np.int64],
    labels: Sequence[str],
    folds: NDArray[np.int64],
    strength: float,
    recipe: str,
) -> Doubles:
    """What heads that were fitted on the other folds say of each row."""
    probabilities = np.empty((len(truth), len(labels)))
    for fold in range(_FOLDS):
        inside = folds == fold
        head = fit(_sample(features[~inside], truth[~inside], labels), strength, recipe)
        probabilities[inside] = head.probabilities(features[inside])
    return probabilities


def _sample(features: Floats, truth: NDArray[np.int64], labels: Sequence[str]) -> Sample:
    """Let each class count the same, however many rows it has."""
    counts = np.bincount(truth, minlength=len(labels))
    weights = len(truth) / (len(labels) * counts[truth])
    return Sample(features, [labels[index] for index in truth], weights)


def _scores(probabilities: Doubles, truth: NDArray[np.int64], labels: Sequence[str]) -> dict[str, Any]:
    best = probabilities.argmax(axis=1)
    low, high = interval(int((best == truth).sum()), len(truth))
    return {
        **classification([labels[index] for index in truth], [labels[index] for index in best]),
        "accuracy_interval_95": [round(low, 4), round(high, 4)],
        "calibration_error": expected_calibration_error(probabilities.max(axis=1), best == truth),
    }


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "…")
