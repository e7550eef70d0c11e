"""Names that configuration may use for built-in signals; light enough for the configuration checker to import."""

from __future__ import annotations

from typing import Final

__all__ = ["ATTACKS", "DOMAINS", "LANGUAGES", "PII_TYPES"]

DOMAINS: Final[tuple[str, ...]] = (
    "biology",
    "business",
    "chemistry",
    "computer science",
    "economics",
    "engineering",
    "health",
    "history",
    "law",
    "math",
    "other",
    "philosophy",
    "physics",
    "psychology",
)
"""The 14 subject categories of MMLU-Pro, spelt as in its data; the order is alphabetical, a head keeps its own."""

ATTACKS: Final[tuple[str, ...]] = ("jailbreak", "harmful", "indirect")
"""An attempt to override instructions or safety; a plain harmful request; an attempt that sits inside a document."""

PII_TYPES: Final[tuple[str, ...]] = (
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
"""Presidio's types of personal data, as far as the bundled classifier knows them."""

# fmt: off
LANGUAGES: Final[tuple[str, ...]] = (
    "am", "ar", "bg", "bn", "ca", "cs", "da", "de", "el", "en", "es", "et", "fa", "fi", "fr", "gu",
    "he", "hi", "hr", "hu", "hy", "id", "it", "ja", "ka", "kk", "km", "kn", "ko", "lo", "lt", "lv",
    "mk", "ml", "mr", "ms", "my", "ne", "nl", "no", "pa", "pl", "pt", "ro", "ru", "si", "sk", "sl",
    "sq", "sr", "sv", "sw", "ta", "te", "th", "tl", "tr", "uk", "ur", "vi", "zh",
)
# fmt: on
"""The languages that the detector can name, as ISO 639-1 codes."""
