"""A model card in Markdown: what a classifier is for, what it was made of, how good it is, where it fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from waypost import __version__

__all__ = ["own_card"]

_WORST = 3
"""Classes that are named as the weakest."""


def own_card(labels: tuple[str, ...], facts: Mapping[str, Any], recipe: str) -> str:
    """Write the card of a classifier that ``waypost train domain`` made from somebody's own rows."""
    return "\n".join(_lines(labels, facts, recipe)) + "\n"


def _lines(labels: tuple[str, ...], facts: Mapping[str, Any], recipe: str) -> Iterator[str]:
    held_out, data, fit = facts["held_out"], facts["data"], facts["fit"]
    low, high = held_out["accuracy_interval_95"]
    yield "# Domain classifier\n"
    yield f"Sorts a request into one of {len(labels)} classes: {', '.join(labels)}. Made by waypost {__version__}.\n"
    yield "```yaml\nclassifiers:\n  domain: {model: THIS_DIRECTORY}\n```\n"
    yield "## How good it is\n"
    yield (
        f"Accuracy {held_out['accuracy']:.3f} (95 % interval {low:.3f} to {high:.3f}), macro-F1 "
        f"{held_out['macro_f1']:.3f}, expected calibration error {held_out['calibration_error']:.3f}: over "
        f"{data['rows']} rows, each judged by a classifier that was fitted without it ({fit['folds']} stratified "
        "folds). Penalty and temperature were chosen on the same folds, so these figures flatter a little; rows "
        "that were written alike flatter more. Texts from elsewhere do worse.\n"
    )
    yield "| class | rows | precision | recall | F1 |\n|---|---|---|---|---|"
    for label, row in held_out["per_class"].items():
        yield f"| {label} | {row['n']} | {_cell(row['precision'])} | {_cell(row['recall'])} | {_cell(row['f1'])} |"
    weakest = sorted(held_out["per_class"].items(), key=lambda pair: pair[1]["f1"])[:_WORST]
    named = ", ".join(f"{label} ({row['f1']:.2f})" for label, row in weakest)
    yield f"\nWeakest: {named}.\n"
    yield "## What it is\n"
    yield (
        "Logistic regression on the embedding of waypost's encoder, "
        f"penalty C = {fit['C']:g}, balanced class weights, seed {fit['seed']}. It belongs to the encoder recipe "
        f"`{recipe[:12]}` and refuses another.\n"
    )
    yield "## What it was made of\n"
    yield f"{data['rows']} rows of `{data.get('file', 'unknown')}`, SHA-256 `{data.get('sha256', 'unknown')}`.\n"
    yield "## Limits\n"
    yield (
        "It always answers with one of its classes, so a text about something else gets the least unfitting one: keep "
        "a threshold. It reads topics, not intent, and is no guard."
    )


def _cell(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
