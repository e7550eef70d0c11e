"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["ConfigOption", "DemoOption", "JsonOption", "WorkersOption"]

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        envvar="WAYPOST_CONFIG",
        show_envvar=True,
        dir_okay=False,
        help="The configuration; default ./waypost.yaml, then ~/.config/waypost/waypost.yaml.",
    ),
]
DemoOption = Annotated[bool, typer.Option("--demo", help="Use the embedded demo configuration.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
WorkersOption = Annotated[
    int,
    typer.Option(
        "--workers",
        "-w",
        min=1,
        max=256,
        envvar="WAYPOST_WORKERS",
        show_envvar=True,
        help="Processes that route requests, each on an ExtProc port of its own.",
    ),
]
