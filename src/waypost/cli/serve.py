"""``waypost serve``."""

from __future__ import annotations

import typer

from waypost.cli.options import ConfigOption, DemoOption, WorkersOption

__all__ = ["serve"]


def serve(config: ConfigOption = None, demo: DemoOption = False, workers: WorkersOption = 1) -> None:
    """Run the router, and Envoy with it.

    Starts Envoy, ExtProc, the API, metrics and, in the demo, a small real LLM.
    Ctrl-C drains and stops; a second Ctrl-C stops at once. SIGHUP or a change of the file reloads it.
    """
    from waypost.config.find import resolve
    from waypost.serve.tuning import tune_process

    path = resolve(config, demo=demo)
    tune_process()
    from waypost.serve.run import run

    raise typer.Exit(run(path, workers))
