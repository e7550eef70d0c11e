"""Names that configuration may use for built-in signals; light enough for the configuration checker to import."""

from __future__ import annotations

from typing import Final

__all__ = ["DOMAINS", "LANGUAGES"]

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

# fmt: off
LANGUAGES: Final[tuple[str, ...]] = (
    "am", "ar", "bg", "bn", "ca", "cs", "da", "de", "el", "en", "es", "et", "fa", "fi", "fr", "gu",
    "he", "hi", "hr", "hu", "hy", "id", "it", "ja", "ka", "kk", "km", "kn", "ko", "lo", "lt", "lv",
    "mk", "ml", "mr", "ms", "my", "ne", "nl", "no", "pa", "pl", "pt", "ro", "ru", "si", "sk", "sl",
    "sq", "sr", "sv", "sw", "ta", "te", "th", "tl", "tr", "uk", "ur", "vi", "zh",
)
# fmt: on
"""The languages that the detector can name, as ISO 639-1 codes."""
