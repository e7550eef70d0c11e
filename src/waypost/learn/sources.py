"""Labelled texts for the multi-task model, from the files of the data directory and those of this package.

A text carries the labels that its source gives and those that follow from it: an exam question is no attack, a
question about algebra holds no personal data. What is not known is None, and no loss is taken there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from string import ascii_uppercase
from typing import Any

from waypost.learn.composed import attack_rows, everyday_rows, personal_rows, plain_rows, topic_rows, values_of
from waypost.learn.examples import read_rows
from waypost.learn.rows import Row
from waypost.learn.splits import is_held_out

__all__ = ["EMBEDDED", "development_rows", "training_rows"]

EMBEDDED = frozenset({"tools", "cache"})
"""Sources whose rows are there to hold the embedding in place."""

_STEM = frozenset({"math", "physics", "chemistry", "engineering", "computer science"})
_CLEAN_SOURCES = frozenset({"gpteacher-codegen", "agieval-gaokao-mathqa", "agieval-gaokao-physics"})
_OTHER_TYPES = re.compile(
    r"[\d@]|http|www|\.com|day\b|week|month|year|morning|night|tonight|mr\b|president", re.IGNORECASE
)
"""What a tweet may hold that its annotators did not mark, because they looked for three types only."""


def training_rows(data: Path, random: Random) -> list[Row]:
    """Read what the model is fitted on. Raises SetupError when a file is missing."""
    personal = list(_personal(data / "pii_train.jsonl.gz"))
    return [
        *_exams(data / "domain_train.jsonl.gz", random),
        *(row for row in _prompts(data) if not is_held_out(row.text)),
        *topic_rows(random),
        *_attacks(data / "jailbreak_train.jsonl.gz"),
        *attack_rows(),
        *personal,
        *personal_rows(values_of(row for row in personal if row.source.startswith("author")), random),
        *plain_rows(),
        *_unlabelled(data),
    ]


def development_rows(data: Path) -> list[Row]:
    """Read what models are chosen on; nothing here is fitted. Raises SetupError when a file is missing."""
    return [
        *(_exam(row, row["text"]) for row in read_rows(data / "domain_dev.jsonl.gz")),
        *(replace(row, spans=None) for row in _prompts(data) if is_held_out(row.text)),
        *_attacks(data / "jailbreak_dev.jsonl.gz"),
        *_personal(data / "pii_dev.jsonl.gz"),
    ]


def _exams(path: Path, random: Random) -> Iterator[Row]:
    """Questions alone, or with some of their options where these are needed or by chance."""
    for row in read_rows(path):
        options = [f"{letter}. {option}" for letter, option in zip(ascii_uppercase, row["options"], strict=False)]
        kept = options[: random.randint(2, 5)]
        if row["weak"] or random.random() < 0.25:
            yield _exam(row, "\n".join((row["text"], *kept)))
        else:
            yield _exam(row, row["text"])


def _exam(row: dict[str, Any], text: str) -> Row:
    clean = () if row["label"] in _STEM and not _has_name(text) else None
    return Row(text, row["source"].partition("/")[0], row["label"], "benign", indirect=False, spans=clean, rate=0.7)


def _has_name(text: str) -> bool:
    """Tell whether a story may name people: two capitalised words that begin no sentence, or a pronoun."""
    return bool(re.search(r"\b(he|she|his|her|him|Mr|Mrs|Ms|Dr)\b|[a-z,] [A-Z][a-z]+ (and [A-Z]|is|was|has|had)", text))


def _prompts(data: Path) -> Iterator[Row]:
    for row in read_rows(data / "domain_aux_train.jsonl.gz"):
        clean = () if row["source"] in _CLEAN_SOURCES else None
        yield Row(row["text"], row["source"], row["label"], "benign", indirect=False, spans=clean, weight=1.5)
    yield from everyday_rows()


def _attacks(path: Path) -> Iterator[Row]:
    for row in read_rows(path):
        clean = () if row["source"] in _CLEAN_SOURCES and "name" not in row["text"].lower() else None
        indirect = row["kind"].startswith("indirect")
        yield Row(row["text"], row["source"], None, row["label"], indirect, spans=clean)


def _personal(path: Path) -> Iterator[Row]:
    for row in read_rows(path):
        spans = tuple((start, end, kind) for start, end, kind in row["spans"])
        if row["source"] != "wnut17-train":
            yield Row(row["text"], row["source"], None, "benign", indirect=False, spans=spans, rate=0.4)
        elif not _OTHER_TYPES.search(row["text"]):
            yield Row(row["text"], row["source"], None, "benign", indirect=False, spans=spans, weight=0.5, rate=0.3)


def _unlabelled(data: Path) -> Iterator[Row]:
    """Texts without a label of ours: they hold the embedding in place where the caches and tools need it."""
    for row in list(read_rows(data / "tools_train.jsonl.gz"))[::5]:
        yield Row(row["text"], "tools", attack="benign", indirect=False, rate=0.3)
    for row in list(read_rows(data / "cache_pairs_train.jsonl.gz"))[::5]:
        yield Row(row["a"], "cache", attack="benign", indirect=False, rate=0.3)
