"""What the multi-task model tells apart. Order is the order of the heads' outputs and never changes."""

from __future__ import annotations

from typing import Final

from waypost.signals.names import DOMAINS, PII_TYPES

__all__ = ["ATTACKS", "DOMAINS", "INDIRECT", "OUTSIDE", "PII_TAGS", "PII_TYPES"]

ATTACKS: Final = ("benign", "jailbreak", "harmful")
"""``jailbreak`` tries to override instructions or safety; ``harmful`` asks for harm without a technique."""

INDIRECT: Final = ("direct", "indirect")
"""``indirect``: the attack sits inside a document that the user hands over."""

OUTSIDE: Final = "O"
PII_TAGS: Final = (OUTSIDE, *(f"{edge}-{kind}" for kind in PII_TYPES for edge in "BI"))
"""One tag a token: ``B-`` begins a span of a type, ``I-`` continues it."""
