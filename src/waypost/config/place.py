"""Where in the file something is: the keys and indexes that lead to it, and how that is written for people."""

from __future__ import annotations

import json
import re
from typing import Final

__all__ = ["Place", "dotted"]

Place = tuple[str | int, ...]
"""``("routing", "decisions", 2, "when")``; the empty tuple is the whole file."""

_PLAIN_KEY: Final = re.compile(r"[\w-]+")


def dotted(place: Place) -> str:
    """``routing.decisions[2].when``; keys that are not plain words are quoted: ``models["gpt-4.1"]``."""
    text = ""
    for step in place:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN_KEY.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += f"[{json.dumps(step, ensure_ascii=not step.isprintable())}]"
    return text
