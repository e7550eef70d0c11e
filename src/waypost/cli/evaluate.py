"""``waypost evaluate TASK``."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from waypost.cli.options import JsonOption

if TYPE_CHECKING:
    from waypost.config import schema
    from waypost.learn.evaluate import Evaluation

__all__ = ["ConfigOption", "DataOption", "ModelOption", "ReportOption", "Task", "evaluate", "measure", "settings"]


class Task(StrEnum):
    """What can be evaluated."""

    domain = "domain"
    jailbreak = "jailbreak"
    pii = "pii"
    cache = "cache"
    tools = "tools"
    language = "language"


DataOption = Annotated[Path, typer.Option("--data", "-d", help="Labelled rows: .jsonl, .jsonl.gz or .csv.")]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", dir_okay=False, help="Take the classifiers of this configuration, not those shipped."
    ),
]
ModelOption = Annotated[
    Path | None, typer.Option("--model", file_okay=False, help="Take the domain classifier in this directory.")
]
ReportOption = Annotated[
    Path | None, typer.Option("--report", file_okay=False, help="Write report.html and its charts here.")
]


def evaluate(
    task: Annotated[Task, typer.Argument(help="What to evaluate.")],
    data: DataOption,
    as_json: JsonOption = False,
    report: ReportOption = None,
    config: ConfigOption = None,
    model: ModelOption = None,
    training: Annotated[
        Path | None,
        typer.Option("--training", dir_okay=False, help="A training.json, for the report's learning curve."),
    ] = None,
) -> None:
    """Measure a classifier on labelled rows, by the code that serves.

    Rows need text and label (domain, jailbreak), text and spans (pii), text and lang (language), a, b and label
    (cache), text and gold, with tools_corpus.jsonl beside (tools).
    """
    from waypost.cli.figures import print_figures, say

    evaluation = measure(task, data, config, model)
    if as_json:
        print(json.dumps(evaluation.figures, ensure_ascii=False))
    else:
        print_figures(evaluation.figures)
    if report is not None:
        from waypost.learn.report import write_report

        curve = json.loads(training.read_bytes()) if training else None
        say(f"wrote {write_report(report, f'{task.value} on {data.name}', evaluation, training=curve)}")


def measure(task: Task, data: Path, config: Path | None, model: Path | None) -> Evaluation:
    """Evaluate ``task`` as it would be served."""
    import asyncio

    from waypost.cli.figures import say
    from waypost.learn.evaluate import TASKS
    from waypost.learn.served import Served, open_encoder

    if model is not None and task is not Task.domain:
        raise typer.BadParameter("--model is for the task domain")
    encoding, classifiers = settings(config)
    with open_encoder(encoding) as encoder:
        return asyncio.run(TASKS[task.value](Served(encoder, classifiers, encoding, model), data, say))


def settings(path: Path | None) -> tuple[schema.Encoder, schema.Classifiers]:
    """Read the encoder and the classifiers of the configuration ``path``; without it, take those that waypost ships."""
    import os

    from waypost.config import schema
    from waypost.config.load import load

    if path is None:
        return schema.Encoder(), schema.Classifiers()
    config = load(path, os.environ).config
    return config.encoder, config.classifiers
