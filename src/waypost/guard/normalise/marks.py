"""Letters buried under combining marks ("Zalgo") or struck through."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["strip_marks"]

_STRIKE: Final = "\u0334-\u0338\u20d0-\u20dc\u20e5-\u20f0"
"""Overlays; no alphabet needs them."""
_ABOVE_AND_BELOW: Final = "\u0300-\u0333\u0339-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\ufe20-\ufe2f"
_ANY: Final = re.compile(f"[{_ABOVE_AND_BELOW}{_STRIKE}]")
_EXCESS: Final = re.compile(f"(?<=[A-Za-z0-9])[{_ABOVE_AND_BELOW}]*[{_STRIKE}][{_ABOVE_AND_BELOW}{_STRIKE}]*"
                            f"|[{_ABOVE_AND_BELOW}]{{3,}}")  # fmt: skip


def strip_marks(text: str) -> str:
    """Remove strokes through letters and piles of three marks or more; expects composed text (NFKC)."""
    return _EXCESS.sub("", text) if _ANY.search(text) else text
