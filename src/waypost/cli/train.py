"""``waypost train TASK``."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from waypost.learn.runs import Run

__all__ = ["Device", "Trained", "train"]


class Trained(StrEnum):
    """What can be trained."""

    domain = "domain"
    jailbreak = "jailbreak"
    pii = "pii"
    embedding = "embedding"
    all = "all"


class Device(StrEnum):
    """Where to compute."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


def train(
    task: Annotated[Trained, typer.Argument(help="What to train; all: the three classifiers in one encoder.")],
    data: Annotated[
        Path,
        typer.Option(
            "--data",
            "-d",
            exists=True,
            help="A directory with *_train and *_dev files. domain: or one file with rows of text and label.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", file_okay=False, help="Where the model goes.")],
    dev: Annotated[
        Path | None, typer.Option("--dev", dir_okay=False, help="Of one file: more rows, only to measure on.")
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option("--report", file_okay=False, help="Of one file: write report.html and its charts here."),
    ] = None,
    extra: Annotated[
        list[Path] | None,
        typer.Option("--extra", exists=True, dir_okay=False, help="More rows: text and label, attack or spans."),
    ] = None,
    work: Annotated[
        Path | None,
        typer.Option("--work", file_okay=False, help="Where a stopped run goes on from (OUT/work); some GB."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn by chance.")] = 7,
    epochs: Annotated[int | None, typer.Option(min=1, help="At most.")] = None,
    patience: Annotated[
        int | None, typer.Option(min=1, help="Epochs without a better dev score before it stops.")
    ] = None,
    rate: Annotated[float | None, typer.Option(min=0, help="Peak learning rate of the adapters.")] = None,
    batch_tokens: Annotated[int | None, typer.Option(min=1, help="Tokens of a batch, padding included.")] = None,
    rank: Annotated[int | None, typer.Option(min=1, help="Size of the adapters.")] = None,
    alpha: Annotated[int | None, typer.Option(min=1, help="Their output counts alpha / rank; 2 × rank.")] = None,
    dropout: Annotated[float | None, typer.Option(min=0, max=0.9)] = None,
    target: Annotated[
        list[str] | None,
        typer.Option("--target", help="A matrix that learns, such as query; all."),
    ] = None,
    from_layer: Annotated[int | None, typer.Option(min=0, help="The first layer that learns.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Of the CPU; all that this process may use.")] = None,
    device: Annotated[Device, typer.Option(help="auto: a GPU when there is one.")] = Device.auto,
) -> None:
    """Train a classifier, or the encoder that all of them read.

    `domain` with one file fits your own classes on the frozen encoder, in CPU minutes, from 20 examples each; name the
    directory it writes under classifiers.domain.model. With a directory, LoRA adapters are trained in the encoder
    together with the heads of the task; a run that was stopped goes on when the same command is given again.
    """
    fit = _given(epochs=epochs, patience=patience, rate=rate, batch_tokens=batch_tokens, threads=threads)
    lora = _given(rank=rank, alpha=alpha, dropout=dropout, targets=tuple(target or ()) or None, from_layer=from_layer)
    if task is Trained.domain and data.is_file():
        _refuse("trains LoRA adapters; --data must be a directory", extra=extra or None, work=work, **fit, **lora)
        _train_own(data, out, dev, seed, report)
        return
    if not data.is_dir():
        raise typer.BadParameter(f"{task.value} learns from a directory", param_hint="--data")
    _refuse("is for one file with your own classes", dev=dev, report=report)
    if task is Trained.embedding:
        _refuse("is for the classifiers", extra=extra or None)
    _train_encoder(task, data, out, work or out / "work", tuple(extra or ()), device, {"seed": seed} | fit, lora)


def _given(**options: Any) -> dict[str, Any]:  # noqa: ANN401 - of many types
    return {name: value for name, value in options.items() if value is not None}


def _refuse(reason: str, **options: Any) -> None:  # noqa: ANN401 - of many types
    """An option that would change nothing is an error."""
    names = {"targets": "target"}
    for name in _given(**options):
        hint = f"--{names.get(name, name).replace('_', '-')}"
        raise typer.BadParameter(f"{hint} {reason}", param_hint=hint)


def _train_own(data: Path, out: Path, dev: Path | None, seed: int, report: Path | None) -> None:
    import asyncio

    from waypost.cli.evaluate import Task, measure
    from waypost.cli.figures import print_figures, say
    from waypost.config import schema
    from waypost.learn.own import held_out_evaluation, read_labelled, refuse_leaks, train_own, write_own
    from waypost.learn.served import open_encoder

    rows = read_labelled(data)
    if dev is not None:
        refuse_leaks(rows, dev)
    with open_encoder(schema.Encoder()) as encoder:
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


def _train_encoder(
    task: Trained,
    data: Path,
    out: Path,
    work: Path,
    extra: tuple[Path, ...],
    device: Device,
    fit: dict[str, Any],
    lora: dict[str, Any],
) -> None:
    from waypost.cli.progress import shown
    from waypost.errors import SetupError

    try:
        from waypost.learn import bundled, embedding
        from waypost.learn.loop import Settings
        from waypost.learn.runs import Run
        from waypost.learn.sources import TASKS
    except ImportError as error:
        raise SetupError(f"training needs {error.name}; pip install 'waypost[train]'") from error
    tasks = TASKS if task is Trained.all else (task.value,)
    run: Run = Run(data, out, work, tasks, extra, device.value)
    defaults, fitted = (
        (embedding.EMBEDDING, embedding.train_embedding) if task is Trained.embedding else (Settings(), bundled.train)
    )
    if "rank" in lora:
        lora = {"alpha": 2 * lora["rank"]} | lora
    settings = replace(defaults, **{"threads": _cores()} | fit)
    with shown() as (line, bar):
        fitted(run, replace(bundled.BASE_LORA, **lora), settings, line, bar)


def _cores() -> int:
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
