"""What the commands of training share: progress on stderr, and an error as one line with its exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from waypost.errors import WaypostError

__all__ = ["reporting", "say"]

P = ParamSpec("P")


def say(line: str) -> None:
    """Print a line of progress."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - a command's progress


def reporting(tell: Callable[[str], None]) -> Callable[[Callable[P, None]], Callable[P, int]]:
    """Make a command return its exit code, and ``tell`` of what waypost raises on purpose."""

    def decorate(command: Callable[P, None]) -> Callable[P, int]:
        @wraps(command)
        def main(*args: P.args, **kwargs: P.kwargs) -> int:
            try:
                command(*args, **kwargs)
            except WaypostError as error:
                tell(f"error: {error}")
                return error.exit_code
            return 0

        return main

    return decorate
