"""What the multi-task model tells apart. Order is the order of the heads' outputs and never changes."""

from __future__ import annotations

from typing import Final

from waypost.signals.names import DOMAINS

__all__ = ["ATTACKS", "DOMAINS", "INDIRECT", "OUTSIDE", "PII_TAGS", "PII_TYPES"]

ATTACKS: Final = ("benign", "jailbreak", "harmful")
"""``jailbreak`` tries to override instructions or safety; ``harmful`` asks for harm without a technique."""

INDIRECT: Final = ("direct", "indirect")
"""``indirect``: the attack sits inside a document that the user hands over."""

PII_TYPES: Final = (
    "AGE",
    "CREDIT_CARD",
    "DATE_TIME",
    "DOMAIN_NAME",
    "EMAIL_ADDRESS",
    "GPE",
    "IBAN_CODE",
    "IP_ADDRESS",
    "NRP",
    "ORGANIZATION",
    "PERSON",
    "PHONE_NUMBER",
    "STREET_ADDRESS",
    "TITLE",
    "US_DRIVER_LICENSE",
    "US_SSN",
    "ZIP_CODE",
)
"""Presidio's types, as far as the training data has them."""

OUTSIDE: Final = "O"
PII_TAGS: Final = (OUTSIDE, *(f"{edge}-{kind}" for kind in PII_TYPES for edge in "BI"))
"""One tag a token: ``B-`` begins a span of a type, ``I-`` continues it."""
