"""A report: one HTML file that needs nothing else, and its charts as PNGs beside it."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any, Final

import numpy as np

from waypost import __version__
from waypost.learn import charts
from waypost.learn.calibration import Isotonic, fit_temperature, tempered
from waypost.learn.evaluate.evidence import Evaluation, Evidence
from waypost.learn.metrics import Floats, confusion
from waypost.learn.thresholds import sweep

__all__ = ["draw", "write_report"]

_MOST_LABELS: Final = 30
"""A confusion matrix of more classes cannot be read."""

_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>
body {{ font: 16px/1.5 system-ui, sans-serif; color: #222; background: #fff; max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem; }}
h1 {{ font-size: 1.6rem; }} h2 {{ font-size: 1.2rem; margin-top: 2.2rem; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; }}
th, td {{ text-align: left; padding: .25rem .9rem .25rem 0; border-bottom: 1px solid #e6e6e6; }}
td + td, th + th {{ text-align: right; }}
img {{ max-width: 100%; height: auto; display: block; margin: 1rem 0; }}
.note {{ color: #595959; }}
</style></head><body>
<h1>{title}</h1><p class="note">{note}</p>
{body}
</body></html>
"""


def write_report(
    directory: Path,
    title: str,
    evaluation: Evaluation,
    advice: Mapping[str, Any] | None = None,
    training: Mapping[str, Any] | None = None,
) -> Path:
    """Write ``report.html`` and the PNGs into ``directory``, made when missing; return the page.

    ``advice`` is what calibration chose, ``training`` the content of a ``training.json``. Raises SetupError without
    matplotlib.
    """
    directory.mkdir(parents=True, exist_ok=True)
    drawn = draw(evaluation, advice, training)
    for name, png in drawn.items():
        (directory / f"{name}.png").write_bytes(png)
    body = "\n".join((*_tables(evaluation.figures, advice), *(_image(name, png) for name, png in drawn.items())))
    page = directory / "report.html"
    note = f"waypost {__version__}. Figures hold for these rows; texts from elsewhere usually do worse."
    page.write_text(_PAGE.format(title=escape(title), note=escape(note), body=body), encoding="utf-8")
    return page


def draw(
    evaluation: Evaluation, advice: Mapping[str, Any] | None = None, training: Mapping[str, Any] | None = None
) -> dict[str, bytes]:
    """Draw every chart that the evidence allows, as PNGs by name."""
    evidence, figures = evaluation.evidence, evaluation.figures
    drawn: dict[str, bytes] = {}
    if 1 < len(evidence.labels) <= _MOST_LABELS:
        table = confusion(evidence.truth, evidence.guesses, evidence.labels)
        drawn["confusion"] = charts.confusion_chart(table, evidence.labels)
    for name, groups in figures.items():
        if name.startswith(("per_", "recall_per_", "false_positives_per_", "wrong_hits_per_")) and groups:
            drawn[name.replace("_", "-")] = charts.bars_chart(_words(name), groups, _figure_of(groups))
    if evidence.probabilities is not None:
        drawn["reliability"] = _reliability(evidence, evidence.probabilities)
    if evidence.trials is not None:
        chosen, budget = _chosen(figures, advice)
        drawn["threshold"] = charts.sweep_chart(sweep(evidence.trials), chosen, budget)
    if training and training.get("losses") and training.get("scores"):
        drawn["learning"] = charts.learning_chart(training["losses"], training["scores"])
    if evidence.seconds:
        drawn["latency"] = charts.latency_chart(evidence.seconds)
    return drawn


def _reliability(evidence: Evidence, probabilities: Floats) -> bytes:
    """As served, and after whichever of temperature and isotonic regression the label's number allows."""
    truth = evidence.truth_index
    if evidence.watched is not None:
        column = list(evidence.labels).index(evidence.watched)
        scores, right = probabilities[:, column], truth == column
        return charts.reliability_chart(
            scores, Isotonic.fit(scores, right).apply(scores), right, ("served", "isotonic")
        )
    temperature = fit_temperature(probabilities, truth)
    before, after = probabilities.max(axis=1), tempered(probabilities, temperature).max(axis=1)
    right = np.asarray(probabilities.argmax(axis=1) == truth)
    return charts.reliability_chart(before, after, right, ("served", f"temperature × {temperature:.2f}"))


def _chosen(figures: Mapping[str, Any], advice: Mapping[str, Any] | None) -> tuple[float | None, str]:
    if advice is None:
        return figures.get("threshold"), "in force"
    budget = advice["budget"]
    if budget["max_false_positive"] is not None:
        return advice["threshold"], f"false positives ≤ {budget['max_false_positive']:.3g}"
    return advice["threshold"], f"recall ≥ {budget['min_recall']:.3g}"


def _figure_of(groups: Mapping[str, Mapping[str, Any]]) -> str:
    first = next(iter(groups.values()))
    return "f1" if "f1" in first else next(name for name in first if name != "n")


def _tables(figures: Mapping[str, Any], advice: Mapping[str, Any] | None) -> Iterator[str]:
    single = {name: value for name, value in figures.items() if not isinstance(value, (dict, list))}
    yield _table(("figure", "value"), [(_words(name), value) for name, value in single.items()])
    if advice is not None:
        yield "<h2>Calibration</h2>"
        shown = {name: value for name, value in advice.items() if not isinstance(value, dict)}
        yield _table(("figure", "value"), [(_words(name), value) for name, value in shown.items()])
    for name, groups in figures.items():
        if isinstance(groups, dict) and groups and all(isinstance(row, dict) for row in groups.values()):
            columns = list(next(iter(groups.values())))
            yield f"<h2>{escape(_words(name))}</h2>"
            lines = [(group, *(row[column] for column in columns)) for group, row in groups.items()]
            yield _table(("", *map(_words, columns)), lines)
    yield "<h2>Charts</h2>"


def _table(head: tuple[str, ...], lines: list[tuple[Any, ...]]) -> str:
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    rows = "".join("<tr>" + "".join(f"<td>{_cell(cell)}</td>" for cell in line) + "</tr>" for line in lines)
    return f"<table><tr>{top}</tr>{rows}</table>"


def _cell(value: object) -> str:
    return "–" if value is None else escape(f"{value:.4g}" if isinstance(value, float) else str(value))


def _image(name: str, png: bytes) -> str:
    return f'<img alt="{escape(name)}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'


def _words(name: str) -> str:
    return name.replace("_", " ").replace("wrong hits per", "wrong hits,").capitalize()
