"""Progress of long work: lines, and on a terminal a bar beneath them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["shown"]


@contextmanager
def shown() -> Iterator[tuple[Callable[[str], None], Callable[[int, int, int], None]]]:
    """Give what prints a line with the time of day, and what moves the bar to an epoch and a step of its steps.

    Both write to stderr; where that is no terminal there is no bar, and lines are all.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True, markup=False, highlight=False, soft_wrap=True)
    columns = (TextColumn("epoch {task.fields[epoch]}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task("", total=None, visible=False, epoch=0)

        def line(text: str) -> None:
            console.print(f"{time.strftime('%H:%M:%S')} {text}")

        def bar(epoch: int, done: int, steps: int) -> None:
            if bars.tasks[0].fields["epoch"] != epoch:
                bars.reset(task, total=steps, visible=True, epoch=epoch)
            bars.update(task, completed=done)

        yield line, bar
