"""Labelled texts for the domain classifier, from the files of the data directory and our own everyday prompts."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from random import Random
from string import ascii_uppercase
from typing import Any, Literal

import yaml

from waypost.errors import SetupError
from waypost.learn.composed import topic_rows
from waypost.learn.splits import is_held_out

__all__ = ["Example", "Kind", "development_examples", "read_rows", "training_examples"]

Kind = Literal["exam", "exam with options", "natural", "everyday", "topic"]
"""Exam questions alone or with their answers; natural prompts and items from open sets; our own short prompts, and our
own topics in many languages."""


@dataclass(frozen=True, slots=True)
class Example:
    """One text and its category."""

    text: str
    label: str
    language: str
    kind: Kind


def training_examples(data: Path) -> list[Example]:
    """Read what the classifier is fitted on. Raises SetupError when a file is missing."""
    prompts = (row for row in _prompts(data) if not is_held_out(row.text))
    return [*_exams(data / "domain_train.jsonl.gz"), *prompts, *_topics()]


def development_examples(data: Path) -> list[Example]:
    """Read what regularisation and temperature are chosen on. Raises SetupError when a file is missing.

    Exam questions share no passage with the training set. Held-out prompts may share a sentence frame with it, so
    their scores flatter.
    """
    return [*_exams(data / "domain_dev.jsonl.gz"), *(row for row in _prompts(data) if is_held_out(row.text))]


def _exams(path: Path) -> Iterator[Example]:
    """Each question twice, as people paste both forms; one that names no topic only with its options."""
    for row in read_rows(path):
        if not row["weak"]:
            yield Example(row["text"], row["label"], row["lang"], "exam")
        options = [f"{letter}. {option}" for letter, option in zip(ascii_uppercase, row["options"], strict=False)]
        yield Example("\n".join((row["text"], *options)), row["label"], row["lang"], "exam with options")


def _prompts(data: Path) -> Iterator[Example]:
    for row in read_rows(data / "domain_aux_train.jsonl.gz"):
        yield Example(row["text"], row["label"], row["lang"], "natural")
    everyday = files("waypost.learn").joinpath("data/everyday.yaml").read_text("utf-8")
    for label, texts in yaml.safe_load(everyday).items():
        for text in texts:
            yield Example(text, label, "en" if text.isascii() else "zh", "everyday")


def _topics() -> Iterator[Example]:
    for row in topic_rows(Random(0)):  # noqa: S311 - not for secrets
        if row.domain:
            yield Example(row.text, row.domain, "", "topic")


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a gzip'd JSONL file. Raises SetupError when it cannot be read."""
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
            for line in file:
                yield json.loads(line)
    except OSError as error:
        raise SetupError(f"cannot read training data: {error}; --data names the directory that holds it") from error
