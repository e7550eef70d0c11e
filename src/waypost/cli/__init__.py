"""The command line: one file a command. Results go to stdout, everything else to stderr.

Exit codes: 0 ok, 1 the thing checked is wrong, 2 usage, 3 environment, 130 interrupted.
"""

from __future__ import annotations

import os
import sys

import typer

from waypost.cli import cache, calibrate, chat, check, config, evaluate, label, replay, route, serve, train, version
from waypost.errors import WaypostError

__all__ = ["app", "main"]

app = typer.Typer(
    name="waypost",
    help="A semantic router for Mixture-of-Models inference.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich help costs 0.2 s more than all the rest of `--help`
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("serve")(serve.serve)
app.command("check")(check.check)
app.command("route")(route.route)
app.command("chat")(chat.chat)
app.command("replay")(replay.replay)
app.command("label")(label.label)
app.command("train")(train.train)
app.command("calibrate")(calibrate.calibrate)
app.command("evaluate")(evaluate.evaluate)
app.add_typer(cache.app, name="cache")
app.add_typer(config.app, name="config")
app.command("version")(version.version)


def main() -> None:
    """Run a command; one line on stderr and an exit code when it fails."""
    try:
        app()
    except WaypostError as error:
        if os.environ.get("WAYPOST_DEBUG"):
            raise
        for line in str(error).splitlines():
            print(f"waypost: {line}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
