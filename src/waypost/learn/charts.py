"""The charts of a report, each as the bytes of a PNG. Colours are those of Okabe and Ito, safe for colour blindness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from waypost.errors import SetupError
from waypost.learn.metrics import Floats, reliability

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "bars_chart",
    "confusion_chart",
    "latency_chart",
    "learning_chart",
    "reliability_chart",
    "sweep_chart",
]

BLUE: Final = "#0072B2"
ORANGE: Final = "#D55E00"
GREEN: Final = "#009E73"
GREY: Final = "#6b6b6b"
_STYLE: Final[Any] = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#999999",
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 12,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6e6e6",
    "legend.frameon": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}


def confusion_chart(table: NDArray[np.int64], labels: Sequence[str]) -> bytes:
    """Draw a confusion matrix, shaded by the share of each true class; cells show counts."""
    side = max(4.0, 0.52 * len(labels) + 2.2)
    with _styled():
        figure, axes = _canvas(side + 0.6, side)
        shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="equal")
        axes.grid(visible=False)
        axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(labels)), labels)
        axes.tick_params(length=0)
        for (line, column), count in np.ndenumerate(table):
            if count:
                colour = "white" if shares[line, column] > 0.55 else "#222222"
                axes.text(column, line, str(count), ha="center", va="center", color=colour, fontsize=8)
        axes.set(title="Confusion matrix", xlabel="answer", ylabel="label")
        return _png(figure)


def reliability_chart(before: Floats, after: Floats, right: NDArray[np.bool_], names: tuple[str, str]) -> bytes:
    """Draw claimed against observed accuracy before and after calibration; the area of a dot grows with its rows."""
    with _styled():
        figure, axes = _canvas(5.6, 5.0)
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--", label="perfect")
        for values, name, colour, marker in ((before, names[0], ORANGE, "s"), (after, names[1], BLUE, "o")):
            table = reliability(values, right)
            x, y = [row["confidence"] for row in table], [row["accuracy"] for row in table]
            axes.plot(x, y, color=colour, linewidth=1.5)
            sizes = [20 + 180 * row["n"] / len(right) for row in table]
            axes.scatter(x, y, s=sizes, color=colour, marker=marker, alpha=0.85, label=name)
        axes.set(title="Reliability", xlabel="confidence", ylabel="share that is right", xlim=(0, 1.02), ylim=(0, 1.02))
        legend = axes.legend(loc="upper left")
        handles: Any = legend.legend_handles[1:]
        for handle in handles:
            handle.set_sizes([40])
        return _png(figure)


def sweep_chart(points: Sequence[Mapping[str, Any]], chosen: float | None, budget: str) -> bytes:
    """Draw recall and false positives over the threshold, with the one that was chosen."""
    with _styled():
        figure, axes = _canvas(6.6, 4.2)
        x = [point["threshold"] for point in points]
        axes.plot(x, [point["recall"] for point in points], color=BLUE, linewidth=2, label="recall")
        wrong = [point["false_positive_rate"] for point in points]
        axes.plot(x, wrong, color=ORANGE, linewidth=2, linestyle="--", label="false positives")
        if chosen is not None:
            axes.axvline(chosen, color=GREEN, linewidth=2, linestyle=":", label=f"{chosen:.3g}: {budget}")
        axes.set(title="Threshold sweep", xlabel="threshold", ylabel="share of rows", xlim=(0, 1), ylim=(0, 1.03))
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3)
        return _png(figure)


def bars_chart(title: str, groups: Mapping[str, Mapping[str, Any]], figure_name: str) -> bytes:
    """Draw one bar a group, with its figure and its rows beside."""
    names = sorted(groups, key=lambda name: groups[name][figure_name] or 0.0)
    with _styled():
        figure, axes = _canvas(6.6, 1.3 + 0.3 * len(names))
        values = [groups[name][figure_name] or 0.0 for name in names]
        axes.barh(names, values, color=BLUE, height=0.65)
        for place, name in enumerate(names):
            text = f"{values[place]:.2f}  (n = {groups[name]['n']:,})"
            axes.text(values[place] + 0.01, place, text, va="center", fontsize=8, color="#333333")
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0)
        axes.set(title=title, xlabel=figure_name.replace("_", " "), xlim=(0, 1.22), xticks=np.linspace(0, 1, 6))
        return _png(figure)


def learning_chart(losses: Sequence[Mapping[str, float]], scores: Sequence[Mapping[str, float]]) -> bytes:
    """Draw the training loss by step and the dev scores by epoch, from ``training.json``."""
    with _styled():
        figure, (left, right) = _two(9.6, 3.8)
        left.plot(_steps(losses), [row["loss"] for row in losses], color=BLUE)
        left.set(title="Training loss", xlabel="step", ylabel="loss")
        left.set_ylim(bottom=0)
        epochs = range(1, len(scores) + 1)
        for name, colour in zip(sorted({key for row in scores for key in row}), _CYCLE * 4, strict=False):
            right.plot(epochs, [row.get(name, np.nan) for row in scores], color=colour, marker="o", label=name)
        right.set(title="Dev scores", xlabel="epoch", ylim=(0, 1.03), xticks=list(epochs))
        right.legend(fontsize=8, ncols=2)
        return _png(figure)


def _steps(losses: Sequence[Mapping[str, float]]) -> list[float]:
    """Count steps over all epochs; in the file they begin anew with each."""
    steps: list[float] = []
    before, last = 0.0, 0.0
    for row in losses:
        if row["step"] <= last:
            before += last
        last = row["step"]
        steps.append(before + last)
    return steps


def latency_chart(seconds: Sequence[float]) -> bytes:
    """Draw how long rows took, with the median and the 99th percentile. What is beyond that is in the last bin."""
    milliseconds = np.asarray(seconds) * 1000
    median, slow = np.percentile(milliseconds, (50, 99))
    with _styled():
        figure, axes = _canvas(6.6, 3.8)
        top = slow * 1.1
        axes.hist(np.minimum(milliseconds, top), bins=np.linspace(0, top, 41).tolist(), color=BLUE, alpha=0.85)
        axes.axvline(median, color=GREEN, linewidth=2, label=f"p50 {median:.1f} ms")
        axes.axvline(slow, color=ORANGE, linewidth=2, linestyle="--", label=f"p99 {slow:.1f} ms")
        axes.set(title="Latency, one text at a time", xlabel="milliseconds", ylabel="rows", xlim=(0, top))
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)
        return _png(figure)


_CYCLE: Final = (BLUE, ORANGE, GREEN, "#CC79A7", "#56B4E9", "#E69F00", GREY, "#000000")


def _styled() -> Any:  # noqa: ANN401 - matplotlib is imported late
    try:
        from matplotlib import rc_context
    except ImportError as error:
        raise SetupError("reports need matplotlib; pip install 'waypost[train]'") from error
    return rc_context(_STYLE)


def _canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """Make a figure outside of pyplot's global state; sizes in inches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def _two(width: float, height: float) -> tuple[Figure, tuple[Axes, Axes]]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, (figure.add_subplot(1, 2, 1), figure.add_subplot(1, 2, 2))


def _png(figure: Figure) -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=144)
    return buffer.getvalue()
