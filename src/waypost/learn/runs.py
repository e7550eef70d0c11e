"""A training run: what it was asked, where it keeps what a stopped run needs, and what it leaves behind."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from waypost.errors import DataError, SetupError
from waypost.learn.base import Base
from waypost.learn.card import trained_card
from waypost.learn.device import DeviceName
from waypost.learn.evaluate.evidence import Evaluation
from waypost.learn.loop import History, Progress, Settings
from waypost.learn.lora import LoraSettings
from waypost.learn.merge import export
from waypost.learn.multitask import MultiTask
from waypost.learn.report import write_report
from waypost.learn.sources import TASKS

__all__ = ["CARD", "Run", "facts_of", "leave", "run_directory"]

CARD: Final = "MODEL_CARD.md"


@dataclass(frozen=True, slots=True)
class Run:
    """What is trained, from what, into which directories."""

    data: Path
    """Directory with the ``*_train`` and ``*_dev`` files."""
    out: Path
    """Where the artefact goes."""
    work: Path
    """For what a stopped run needs to go on."""
    tasks: tuple[str, ...] = TASKS
    extra: tuple[Path, ...] = ()
    """Files of rows besides; see :mod:`waypost.learn.extra`."""
    device: DeviceName = "auto"

    @property
    def name(self) -> str:
        """The tasks in one word."""
        return "all" if self.tasks == TASKS else "-".join(self.tasks)


def run_directory(work: Path, lora: LoraSettings, settings: Settings) -> Path:
    """Where the state of a run lies. It belongs to these settings: with others a run starts from the beginning."""
    # Neither changes what is learnt.
    counted = asdict(replace(settings, threads=1, save_every=1))
    digest = hashlib.sha256(json.dumps([asdict(lora), counted], sort_keys=True).encode())
    return work / f"run-{digest.hexdigest()[:12]}"


def facts_of(
    name: str, data: Mapping[str, Any], lora: LoraSettings, settings: Settings, history: History
) -> dict[str, Any]:
    """Collect what ``training.json`` says of the run. Raises DataError when no epoch gave a model."""
    if history.best_epoch < 0:
        raise DataError("no epoch gave a dev score; --epochs is 1 at least")
    return {"task": name, "data": data, "settings": asdict(settings), "lora": asdict(lora), **asdict(history)}


def leave(
    model: MultiTask, base: Base, lora: LoraSettings, directory: Path, facts: dict[str, Any], progress: Progress
) -> None:
    """Write the artefact, its card and its report."""
    export(model, base.tokenizer, lora, directory, facts)
    heads = {head.name: head.labels for head in model.specs}
    (directory / CARD).write_text(trained_card(heads, facts), encoding="utf-8")
    progress(f"wrote {directory}")
    best = facts["scores"][facts["best_epoch"]]
    try:
        page = write_report(
            directory / "report", f"Training of {facts['task']}", Evaluation(_figures(facts, best)), training=facts
        )
    except SetupError as error:
        progress(f"no report: {error}")
    else:
        progress(f"wrote {page}")


def _figures(facts: Mapping[str, Any], best: Mapping[str, float]) -> dict[str, Any]:
    rows = sum(facts["data"]["rows"].values())
    figures: dict[str, Any] = {"task": facts["task"], "rows": rows, "best_epoch": facts["best_epoch"] + 1}
    figures |= {f"dev_{name}": value for name, value in best.items()}
    return figures | {"dev_by_epoch": {f"epoch {number}": row for number, row in enumerate(facts["scores"], 1)}}
