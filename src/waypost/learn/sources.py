"""Labelled texts for the multi-task model, from the files of the data directory and those of this package.

Files are ``NAME.jsonl.gz``, ``NAME.jsonl`` or, where rows hold only text, ``NAME.csv``. Those of the tasks that are
trained must be there; those of other tasks serve as counter-examples and may be missing.

A text carries the labels that its source gives and those that follow from it: an exam question is no attack, a
question about algebra holds no personal data. What is not known is None, and no loss is taken there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from string import ascii_uppercase
from typing import Any, Final

from waypost.errors import DataError, SetupError
from waypost.learn.composed import attack_rows, everyday_rows, personal_rows, plain_rows, topic_rows, values_of
from waypost.learn.documents import document_rows, quoting_rows
from waypost.learn.instructed import instruction_rows
from waypost.learn.labels import ATTACKS, DOMAINS, PII_TYPES
from waypost.learn.rows import Row
from waypost.learn.splits import is_held_out
from waypost.learn.tables import read_table

__all__ = ["EMBEDDED", "TASKS", "development_rows", "find_table", "training_rows"]

TASKS: Final = ("domain", "jailbreak", "pii")
"""What the multi-task model learns."""
_FORMS: Final = (".jsonl.gz", ".jsonl", ".csv")
_TEXT: Final = {"text": str}
_LABELLED: Final = {"text": str, "label": str}
_MARKED: Final = {"text": str, "spans": list}

EMBEDDED = frozenset({"tools", "cache"})
"""Sources whose rows are there to hold the embedding in place."""

_WITH_OPTIONS = 0.5
"""Share of the exam questions that come with options: their words tell of the domain as the question's do."""
_DOCUMENTS = 700
"""With an attack inside, and as many without."""
_STEM = frozenset({"math", "physics", "chemistry", "engineering", "computer science"})
_CLEAN_SOURCES = frozenset({"gpteacher-codegen", "agieval-gaokao-mathqa", "agieval-gaokao-physics"})
_OTHER_TYPES = re.compile(
    r"[\d@]|http|www|\.com|day\b|week|month|year|morning|night|tonight|mr\b|president", re.IGNORECASE
)
"""What a tweet may hold that its annotators did not mark, because they looked for three types only."""


def training_rows(data: Path, random: Random, tasks: Sequence[str] = TASKS) -> list[Row]:
    """Read what the model is fitted on. Raises SetupError when a file is missing, DataError when one is malformed."""
    personal = list(_personal(_table(data, "pii_train", _MARKED, needed="pii" in tasks)))
    found = list(_attacks(_table(data, "jailbreak_train", _LABELLED, needed="jailbreak" in tasks)))
    attacks = [*found, *attack_rows()]
    values = values_of(row for row in personal if row.source.startswith("author"))
    return [
        *_exams(_table(data, "domain_train", _LABELLED, needed="domain" in tasks), random),
        *(row for row in _prompts(data) if not is_held_out(row.text)),
        *topic_rows(random),
        *attacks,
        *document_rows(attacks, _DOCUMENTS, random),
        *quoting_rows(attacks, random),
        *instruction_rows(attacks, random),
        *personal,
        # The own contexts have a place for every type, so they need a value of each.
        *(personal_rows(values, random) if set(values) >= set(PII_TYPES) else ()),
        *plain_rows(),
        *_unlabelled(data),
    ]


def development_rows(data: Path, tasks: Sequence[str] = TASKS) -> list[Row]:
    """Read what models are chosen on; nothing here is fitted. Raises as :func:`training_rows` does."""
    rows: list[Row] = []
    if "domain" in tasks:
        rows += (_exam(row, row["text"]) for row in _table(data, "domain_dev", _LABELLED))
        rows += (replace(row, spans=None) for row in _prompts(data) if is_held_out(row.text))
    if "jailbreak" in tasks:
        rows += _attacks(_table(data, "jailbreak_dev", _LABELLED))
    if "pii" in tasks:
        rows += _personal(_table(data, "pii_dev", _MARKED))
    return rows


def find_table(data: Path, stem: str) -> Path | None:
    """Find a file of rows by its name without the ending."""
    return next((path for form in _FORMS if (path := data / f"{stem}{form}").exists()), None)


def _table(data: Path, stem: str, fields: Mapping[str, type], *, needed: bool = True) -> list[dict[str, Any]]:
    """Read a file whose labels are ours; where it is not needed, it may be missing."""
    path = find_table(data, stem)
    if path is None:
        if needed:
            names = ", ".join(f"{stem}{form}" for form in _FORMS)
            raise SetupError(f"cannot read training data: {data} has none of {names}; --data names the directory")
        return []
    rows = read_table(path, fields)
    known = {"domain": DOMAINS, "jailbreak": ATTACKS}.get(stem.partition("_")[0])
    for row in rows:
        row.setdefault("source", stem)
        if known and "label" in fields and row["label"] not in known:
            raise DataError(f"{path}: the label {row['label']!r} is none of {', '.join(known)}")
    return rows


def _exams(rows: Sequence[Mapping[str, Any]], random: Random) -> Iterator[Row]:
    """Questions alone, or with some of their options where these are needed or by chance."""
    for row in rows:
        answers = row.get("options") or ()
        options = [f"{letter}. {option}" for letter, option in zip(ascii_uppercase, answers, strict=False)]
        kept = options[: random.randint(2, 5)]
        if row.get("weak") or random.random() < _WITH_OPTIONS:
            yield _exam(row, "\n".join((row["text"], *kept)))
        else:
            yield _exam(row, row["text"])


def _exam(row: Mapping[str, Any], text: str) -> Row:
    clean = () if row["label"] in _STEM and not _has_name(text) else None
    return Row(text, row["source"].partition("/")[0], row["label"], "benign", indirect=False, spans=clean, rate=0.7)


def _has_name(text: str) -> bool:
    """Tell whether a story may name people: two capitalised words that begin no sentence, or a pronoun."""
    return bool(re.search(r"\b(he|she|his|her|him|Mr|Mrs|Ms|Dr)\b|[a-z,] [A-Z][a-z]+ (and [A-Z]|is|was|has|had)", text))


def _prompts(data: Path) -> Iterator[Row]:
    for row in _table(data, "domain_aux_train", _LABELLED, needed=False):
        clean = () if row["source"] in _CLEAN_SOURCES else None
        yield Row(row["text"], row["source"], row["label"], "benign", indirect=False, spans=clean, weight=1.5)
    yield from everyday_rows()


def _attacks(rows: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    for row in rows:
        clean = () if row["source"] in _CLEAN_SOURCES and "name" not in row["text"].lower() else None
        indirect = str(row.get("kind") or "").startswith("indirect")
        yield Row(row["text"], row["source"], None, row["label"], indirect, spans=clean)


def _personal(rows: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    for row in rows:
        spans = tuple((start, end, kind) for start, end, kind in row["spans"])
        if row["source"] != "wnut17-train":
            yield Row(row["text"], row["source"], None, "benign", indirect=False, spans=spans, rate=0.4)
        elif not _OTHER_TYPES.search(row["text"]):
            yield Row(row["text"], row["source"], None, "benign", indirect=False, spans=spans, weight=0.5, rate=0.3)


def _unlabelled(data: Path) -> Iterator[Row]:
    """Texts without a label of ours: they hold the embedding in place where the caches and tools need it."""
    for row in _table(data, "tools_train", _TEXT, needed=False)[::5]:
        yield Row(row["text"], "tools", attack="benign", indirect=False, rate=0.3)
    for row in _table(data, "cache_pairs_train", {"a": str}, needed=False)[::5]:
        yield Row(row["a"], "cache", attack="benign", indirect=False, rate=0.3)
