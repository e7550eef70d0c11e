"""A model card in Markdown: what a classifier is for, what it was made of, how good it is, where it fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from waypost import __version__

__all__ = ["own_card", "trained_card"]

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


def trained_card(heads: Mapping[str, Sequence[str]], facts: Mapping[str, Any]) -> str:
    """Write the card of a model that ``waypost train`` fitted; ``facts`` is what ``training.json`` holds."""
    parts = (_purpose(heads, facts), _scores(facts), _data(facts), _settings(facts), _limits(heads))
    return "\n".join(line for part in parts for line in part) + "\n"


def _purpose(heads: Mapping[str, Sequence[str]], facts: Mapping[str, Any]) -> Iterator[str]:
    yield "# Encoder and classifiers\n" if heads else "# Encoder for similarity\n"
    yield (
        f"A sentence encoder (multilingual-e5-small, MIT) with LoRA adapters merged into it, made by waypost "
        f"{__version__} (`waypost train {facts['task']}`). `model.safetensors` is the encoder in full precision, "
        "`adapter/` the adapters alone.\n"
    )
    for name, labels in heads.items():
        yield f"- **{name}**: {', '.join(labels)}"
    yield "- **embedding**: a text as a vector, for similarity\n"


def _scores(facts: Mapping[str, Any]) -> Iterator[str]:
    yield "## How good it is\n"
    yield (
        "Scores on the development rows, after each epoch, in full precision. They chose the epoch, so they flatter; "
        "texts from elsewhere do worse. `waypost evaluate` measures what is served.\n"
    )
    names = [name for name in facts["scores"][0] if name != "total"]
    yield f"| epoch | total | {' | '.join(names)} |\n|---{'|---' * (len(names) + 1)}|"
    rows = [("before", facts["before"])] if "before" in facts else []
    rows += [(f"{number}", row) for number, row in enumerate(facts["scores"], 1)]
    for epoch, row in rows:
        mark = " (kept)" if epoch == str(facts["best_epoch"] + 1) else ""
        yield f"| {epoch}{mark} | {' | '.join(f'{row[name]:.4f}' for name in ('total', *names))} |"
    if "before" in facts and facts["best"] <= facts["before"]["total"]:
        yield "\n**No epoch was better than the encoder before training.**"
    yield ""


def _data(facts: Mapping[str, Any]) -> Iterator[str]:
    data = facts["data"]
    yield "## What it was made of\n"
    yield (
        f"{sum(data['rows'].values())} rows, SHA-256 `{data['digest']}`; {data['dev_rows']} development texts. "
        "Training rows that share text with these were left out.\n"
    )
    yield "| source | rows |\n|---|---|"
    for source, count in sorted(data["rows"].items()):
        yield f"| {source} | {count} |"
    yield ""


def _settings(facts: Mapping[str, Any]) -> Iterator[str]:
    lora, settings = facts["lora"], facts["settings"]
    targets = ", ".join(lora["targets"]) or "every matrix"
    yield "## How it was made\n"
    yield (
        f"LoRA of rank {lora['rank']} (alpha {lora['alpha']}, dropout {lora['dropout']}) on {targets} of the layers "
        f"from {lora['from_layer']} on; AdamW, peak rate {settings['rate']:g}, batches of {settings['batch_tokens']} "
        f"tokens, {len(facts['scores'])} of at most {settings['epochs']} epochs, seed {settings['seed']}, "
        f"{facts['seconds'] / 60:.0f} minutes. All else is in `training.json`.\n"
    )


def _limits(heads: Mapping[str, Sequence[str]]) -> Iterator[str]:
    yield "## Limits\n"
    if "domain" in heads:
        yield "- A domain is always one of the classes, so keep a threshold for texts about something else."
    if "jailbreak" in heads:
        yield "- An attack in words that nobody has used yet may pass: the detector is one guard, not the only one."
    if "pii" in heads:
        yield "- Personal data is found by its words and its context; rules find numbers with a checksum better."
    yield "- What it read is mostly English and Chinese; measure other languages before you rely on them."
    yield "- It has not been converted yet: `python -m waypost.learn.export` quantises it and compares the result."


def _cell(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
