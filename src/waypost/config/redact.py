"""What of a value may be shown."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["without_userinfo"]

_USERINFO: Final = re.compile(r"\b([A-Za-z][A-Za-z0-9+.-]*://)[^/?#\s]*@")


def without_userinfo(text: str) -> str:
    """``https://user:key@host`` → ``https://***@host``."""
    return _USERINFO.sub(r"\1***@", text)
