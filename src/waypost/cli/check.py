"""``waypost check``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from waypost.cli.options import ConfigOption, DemoOption, JsonOption, WorkersOption
from waypost.errors import ConfigError

if TYPE_CHECKING:
    from waypost.config.schema import Config

__all__ = ["check"]


def check(
    config: ConfigOption = None,
    demo: DemoOption = False,
    workers: WorkersOption = 1,
    as_json: JsonOption = False,
    envoy: Annotated[bool, typer.Option("--envoy", help="Also have Envoy validate what would be generated.")] = False,
) -> None:
    """Check a configuration file.

    Every mistake is told with its line, and what was probably meant. Exit code 1 when there is one.
    """
    import os

    from waypost.config.find import resolve
    from waypost.config.load import load

    path = resolve(config, demo=demo)
    try:
        loaded = load(path, os.environ, workers=workers)
        if envoy:
            with loaded.veil.over_errors():
                _ask_envoy(loaded.config)
    except ConfigError as error:
        if not as_json:
            raise
        _print_json(str(path), ok=False, problems=[str(problem) for problem in error.problems])
        raise typer.Exit(error.exit_code) from None
    warnings = [str(warning) for warning in loaded.warnings]
    if as_json:
        _print_json(str(path), ok=True, digest=loaded.digest, warnings=warnings)
        return
    for warning in warnings:
        print(f"warning: {warning}", file=sys.stderr)
    models, decisions = len(loaded.config.models), len(loaded.config.routing.decisions)
    print(f"{path}: ok, {models} models, {decisions} decisions, digest {loaded.digest}")


def _ask_envoy(config: Config) -> None:
    """Have the real Envoy judge what `serve` would give it. Raises ConfigError, or SetupError without an Envoy."""
    import tempfile

    from waypost.serve.envoy.config import render
    from waypost.serve.envoy.files import prepare, validate

    with tempfile.TemporaryDirectory(prefix="waypost-") as directory:
        layout = prepare(Path(directory))
        validate(layout, render(config, (config.listeners.extproc,), layout).standalone)


def _print_json(path: str, **fields: object) -> None:
    print(json.dumps({"config": path, **fields}, ensure_ascii=False))
