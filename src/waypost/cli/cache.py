"""``waypost cache calibrate | bench``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from waypost.cli.evaluate import ConfigOption
from waypost.cli.options import JsonOption

__all__ = ["app"]

app = typer.Typer(help="Choose the cache's threshold, and measure it.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def calibrate(
    pairs: Annotated[Path, typer.Option("--pairs", help="Rows with a, b and label: .jsonl, .jsonl.gz or .csv.")],
    max_wrong: Annotated[float, typer.Option(help="Largest share of wrong hits, as 0.01.")] = 0.01,
    confidence: Annotated[float, typer.Option(help="How sure that promise is.")] = 0.95,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Choose the similarity that keeps wrong hits within a budget, from pairs of your own questions.

    Label 1: the answer to a is right for b. Label 0: it is not; those that look alike tell the most. The budget holds
    for questions of the same kind with the confidence asked for; when the pairs are too few to prove it, nothing is
    chosen and the exit code is 1.
    """
    from waypost.cli.evaluate import Task, measure
    from waypost.cli.figures import print_figures
    from waypost.learn.advice import advise
    from waypost.learn.thresholds import Budget

    for name, value in (("--max-wrong", max_wrong), ("--confidence", confidence)):
        if not 0 < value < 1:
            raise typer.BadParameter(f"{name} must be between 0 and 1")
    advice = advise(measure(Task.cache, pairs, config, None), Budget(max_wrong, None, confidence))
    figures = {
        "similarity": advice["threshold"],
        "wrong_hit_rate": advice["false_positive_rate"],
        "wrong_hit_rate_at_most": advice["false_positive_bound"],
        "hit_rate": advice["recall"],
        "hit_rate_at_least": advice["recall_bound"],
        "similarity_now": advice["threshold_now"],
        "n": advice["n"],
        "confidence": confidence,
    }
    if as_json:
        print(json.dumps(figures))
    else:
        print_figures(figures)
        print(f"\nput it into the configuration:\n  cache:\n    similarity: {advice['threshold']:g}")


@app.command()
def bench(
    entries: Annotated[int, typer.Option(min=1, help="Entries in the store.")] = 10_000,
    as_json: JsonOption = False,
) -> None:
    """Measure the store in memory on this machine: milliseconds a lookup and a store, and bytes an entry."""
    import asyncio

    from waypost.cache.measure import measure_memory
    from waypost.cli.figures import print_figures

    figures = asyncio.run(measure_memory(entries))
    if as_json:
        print(json.dumps(figures))
    else:
        print_figures(figures)
