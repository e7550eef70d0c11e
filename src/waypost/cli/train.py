"""``waypost train TASK``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["train"]


class Trained(StrEnum):
    """What can be trained."""

    domain = "domain"
    all = "all"


def train(
    task: Annotated[
        Trained, typer.Argument(help="domain: your own classes, in CPU minutes. all: the multi-task model, in hours.")
    ],
    data: Annotated[
        Path,
        typer.Option("--data", "-d", help="domain: rows of text and label, CSV or JSONL. all: the data directory."),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", file_okay=False, help="Where the model goes.")],
    dev: Annotated[
        Path | None, typer.Option("--dev", dir_okay=False, help="domain: more rows, only to measure on.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn by chance.")] = 7,
    report: Annotated[
        Path | None, typer.Option("--report", file_okay=False, help="domain: write report.html and its charts here.")
    ] = None,
    work: Annotated[
        Path | None, typer.Option("--work", file_okay=False, help="all: where a stopped run goes on from; 3 GB.")
    ] = None,
) -> None:
    """Train a classifier.

    `domain` fits your own classes on the frozen encoder, from 20 examples each; name the directory it writes under
    classifiers.domain.model. `all` trains the encoder and every head that waypost ships.
    """
    if task is Trained.all:
        _train_all(data, out, work or out / "work", seed)
    else:
        _train_domain(data, out, dev, seed, report)


def _train_domain(data: Path, out: Path, dev: Path | None, seed: int, report: Path | None) -> None:
    import asyncio

    from waypost.cli.evaluate import Task, measure
    from waypost.cli.figures import print_figures, say
    from waypost.config import schema
    from waypost.learn.own import held_out_evaluation, read_labelled, refuse_leaks, train_own, write_own
    from waypost.learn.served import open_encoder

    rows = read_labelled(data)
    if dev is not None:
        refuse_leaks(rows, dev)
    with open_encoder(schema.Encoder(), say) as encoder:
        model = asyncio.run(train_own(encoder, rows, seed, say))
    write_own(model, data, out)
    print_figures(model.facts["held_out"])
    say(f"wrote {out}: name it under classifiers.domain.model")
    if dev is not None:
        print_figures(measure(Task.domain, dev, None, out).figures)
    if report is not None:
        from waypost.learn.report import write_report

        title = f"domain, held-out folds of {data.name}"
        say(f"wrote {write_report(report, title, held_out_evaluation(model, rows))}")


def _train_all(data: Path, out: Path, work: Path, seed: int) -> None:
    from waypost.errors import SetupError

    try:
        from waypost.learn import bundled
    except ImportError as error:
        raise SetupError(f"training needs {error.name}; pip install 'waypost[train]'") from error
    arguments = ["--data", str(data), "--out", str(out), "--work", str(work), "--seed", str(seed)]
    raise typer.Exit(bundled.main(arguments))
