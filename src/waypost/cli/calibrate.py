"""``waypost calibrate TASK``."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Any

import typer

from waypost.cli.evaluate import ConfigOption, DataOption, ModelOption, ReportOption, Task, measure
from waypost.cli.options import JsonOption

__all__ = ["calibrate"]


class Thresholded(StrEnum):
    """What has a threshold."""

    domain = "domain"
    jailbreak = "jailbreak"
    cache = "cache"


def calibrate(
    task: Annotated[Thresholded, typer.Argument(help="What to calibrate.")],
    data: DataOption,
    max_false_positive: Annotated[
        float | None, typer.Option(help="Largest share of wrong matches, as 0.01.", show_default=False)
    ] = None,
    min_recall: Annotated[
        float | None, typer.Option(help="Smallest share of right matches, as 0.95.", show_default=False)
    ] = None,
    confidence: Annotated[float, typer.Option(help="Of the bound: how sure the promise is.")] = 0.95,
    save: Annotated[
        bool, typer.Option("--save", help="Write the temperature and the threshold into the classifier of --model.")
    ] = False,
    as_json: JsonOption = False,
    report: ReportOption = None,
    config: ConfigOption = None,
    model: ModelOption = None,
) -> None:
    """Choose a threshold that keeps a stated budget, and check whether probabilities mean what they say.

    The budget holds beyond these rows with the confidence asked for (an exact Clopper-Pearson bound), for texts of
    the same kind. When the rows are too few to prove it, nothing is chosen and the exit code is 1. A wrong match is
    a benign text called a jailbreak, a wrong hit of the cache, or a text that matches another domain than its own.
    """
    from waypost.cli.figures import print_figures, say
    from waypost.learn.advice import advise, save_temperature
    from waypost.learn.thresholds import Budget

    for name, value in (("--max-false-positive", max_false_positive), ("--min-recall", min_recall)):
        _check_share(name, value)
    _check_share("--confidence", confidence)
    if max_false_positive is None and min_recall is None:
        raise typer.BadParameter("needs --max-false-positive or --min-recall")
    if save and model is None:
        raise typer.BadParameter("--save needs --model")
    evaluation = measure(Task(task.value), data, config, model)
    advice = advise(evaluation, Budget(max_false_positive, min_recall, confidence), recalibrated=save)
    if save and model is not None:
        advice["temperature"] = save_temperature(model, advice)
    if as_json:
        print(json.dumps(advice, ensure_ascii=False))
    else:
        print_figures(_flat(advice))
        print(f"\n{_in_configuration(task, advice['threshold'])}")
    if report is not None:
        from waypost.learn.report import write_report

        say(f"wrote {write_report(report, f'{task.value} on {data.name}', evaluation, advice)}")


def _check_share(name: str, value: float | None) -> None:
    if value is not None and not 0 < value < 1:
        raise typer.BadParameter(f"{name} needs a share between 0 and 1, such as 0.01")


def _in_configuration(task: Thresholded, threshold: float) -> str:
    """Say where the threshold goes."""
    if task is Thresholded.cache:
        return f"cache: {{similarity: {threshold:g}}}"
    return f"classifiers:\n  {task.value}: {{threshold: {threshold:g}}}"


def _flat(advice: dict[str, Any]) -> dict[str, Any]:
    """Lift the parts of the calibration to where they are printed."""
    calibration = advice["calibration"] or {}
    return {name: value for name, value in advice.items() if name != "calibration"} | calibration
