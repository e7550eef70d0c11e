"""The sets that can be had, where they lie, and what their columns mean to us."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from waypost.learn.labels import DOMAINS, PII_TYPES

__all__ = ["SETS", "PublicSet"]

Columns: TypeAlias = Mapping[str, Any]
Converted: TypeAlias = dict[str, Any] | None
"""A row with ``text`` and ``label``, ``attack`` or ``spans``; None for one that says nothing to us."""


@dataclass(frozen=True, slots=True)
class PublicSet:
    """One set. ``repository`` is a data set on the hub, or the address of a JSON file when it begins with https."""

    repository: str
    licence: str
    convert: Callable[[Columns], Converted]
    splits: tuple[str, ...] = ("train",)
    """Those that may be trained on; the first is the default."""
    config: str = "default"
    note: str = ""


def _mmlu_pro(row: Columns) -> Converted:
    label = row["category"]
    return {"text": row["question"], "label": label, "attack": "benign"} if label in DOMAINS else None


def _toxic_chat(row: Columns) -> Converted:
    # Toxicity is no attack, and what it is instead the set does not say.
    if row["toxicity"] and not row["jailbreaking"]:
        return None
    return {"text": row["user_input"], "attack": "jailbreak" if row["jailbreaking"] else "benign"}


def _salad(row: Columns) -> Converted:
    return {"text": row["augq"], "attack": "jailbreak"}


def _jackhhao(row: Columns) -> Converted:
    return {"text": row["prompt"], "attack": row["type"]} if row["type"] in ("benign", "jailbreak") else None


def _presidio(row: Columns) -> Converted:
    spans = [[span["start_position"], span["end_position"], span["entity_type"]] for span in row["spans"]]
    if not all(kind in PII_TYPES for *_, kind in spans):
        return None
    return {"text": row["full_text"], "spans": sorted(spans)}


_MASKED: Final[Mapping[str, str]] = {
    "GIVENNAME": "PERSON",
    "SURNAME": "PERSON",
    "TITLE": "TITLE",
    "AGE": "AGE",
    "EMAIL": "EMAIL_ADDRESS",
    "TELEPHONENUM": "PHONE_NUMBER",
    "CITY": "GPE",
    "STREET": "STREET_ADDRESS",
    "BUILDINGNUM": "STREET_ADDRESS",
    "ZIPCODE": "ZIP_CODE",
    "CREDITCARDNUMBER": "CREDIT_CARD",
    "DATEOFBIRTH": "DATE_TIME",
    "DATE": "DATE_TIME",
    "TIME": "DATE_TIME",
}
"""Other labels (user names, passwords, account numbers) are no type of ours."""
_AMERICAN: Final[Mapping[str, str]] = {"SOCIALNUM": "US_SSN", "DRIVERLICENSENUM": "US_DRIVER_LICENSE"}
"""In English texts only: elsewhere these are other countries' numbers."""
_JOINED: Final = ("PERSON", "STREET_ADDRESS")
_GAP: Final = re.compile(r"[\s,]{1,2}")


def _ai4privacy(row: Columns) -> Converted:
    text, types = row["source_text"], {**_MASKED, **(_AMERICAN if row["language"] == "en" else {})}
    spans = sorted(
        [span["start"], span["end"], types[span["label"]]] for span in row["privacy_mask"] if span["label"] in types
    )
    return {"text": text, "lang": row["language"], "spans": _joined(text, spans)}


def _joined(text: str, spans: Sequence[list[Any]]) -> list[list[Any]]:
    """Join first and last names, and streets and house numbers, which stand apart there and together here."""
    found: list[list[Any]] = []
    for start, end, kind in spans:
        before = found[-1] if found else None
        if before and before[2] == kind and kind in _JOINED and _GAP.fullmatch(text, before[1], start):
            before[1] = end
        else:
            found.append([start, end, kind])
    return found


SETS: Final[Mapping[str, PublicSet]] = {
    "mmlu-pro": PublicSet(
        "TIGER-Lab/MMLU-Pro",
        "MIT",
        _mmlu_pro,
        ("validation",),
        note="70 questions: the other 12,032 are its test split",
    ),
    "toxic-chat": PublicSet("lmsys/toxic-chat", "CC-BY-NC-4.0", _toxic_chat, config="toxicchat0124"),
    "salad-data": PublicSet("OpenSafetyLab/Salad-Data", "Apache-2.0", _salad, config="attack_enhanced_set"),
    "jailbreak-classification": PublicSet("jackhhao/jailbreak-classification", "Apache-2.0", _jackhhao),
    "presidio-research": PublicSet(
        "https://raw.githubusercontent.com/microsoft/presidio-research/"
        "f3ff907eba57b8d380711ce7ca82a42696cd0490/data/synth_dataset_v2.json",
        "MIT; names by the Fake Name Generator, CC-BY-SA-3.0-US",
        _presidio,
    ),
    "pii-masking-400k": PublicSet(
        "ai4privacy/pii-masking-400k",
        "its own: academic use",
        _ai4privacy,
        note="city, street and number are spans of their own, where waypost's own rows mark an address as one",
    ),
}
"""Those that VSR trains on, by the name of the command line."""
