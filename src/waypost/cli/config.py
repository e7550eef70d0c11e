"""``waypost config schema | init | show``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from waypost.cli.options import ConfigOption, DemoOption
from waypost.errors import SetupError

__all__ = ["app"]

app = typer.Typer(help="Write, show or describe the configuration.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def schema() -> None:
    """Print the JSON schema of waypost.yaml, for editors and pipelines."""
    from waypost.config.json_schema import json_schema

    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))


@app.command()
def init(
    target: Annotated[Path, typer.Argument(help="The file to write.")] = Path("waypost.yaml"),
    demo: Annotated[bool, typer.Option("--demo", help="Start from the demo instead of your own backends.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> None:
    """Write a commented first configuration."""
    from waypost.config.find import embedded

    if target.exists() and not force:
        raise SetupError(f"{target} exists; use --force to overwrite it")
    try:
        target.write_text(embedded("demo" if demo else "starter").read_text("utf-8"), "utf-8")
    except OSError as error:
        raise SetupError(f"cannot write {target}: {error.strerror}") from error
    print(f"wrote {target}; next: edit it, then `waypost check` and `waypost serve`", file=sys.stderr)


@app.command()
def show(config: ConfigOption = None, demo: DemoOption = False) -> None:
    """Print the configuration as it is understood.

    Defaults are filled in; values from the environment show as ${NAME}.
    """
    import os

    from waypost.config.find import resolve
    from waypost.config.load import load
    from waypost.config.show import show as render

    print(render(load(resolve(config, demo=demo), os.environ)), end="")
