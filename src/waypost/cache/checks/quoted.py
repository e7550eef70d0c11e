"""Whether what two questions quote differs: text in quotation marks, code, addresses."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from waypost.cache.reading import Reading

__all__ = ["quoted"]

_QUOTED: Final = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]+`"
    r"|\"[^\"]+\"|“[^”]+”|„[^“”]+[“”]|「[^」]+」|『[^』]+』|«[^»]+»|《[^》]+》|(?<!\w)'[^'\n]+'(?!\w)"
    r"|\w+://\S+|(?<![\w/])/\w[\w./-]+|\$[^$\n]+\$",
    re.DOTALL,
)
_MARKS: Final = "`\"“”„「」『』«»《》'$ \n.,!?"


def quoted(a: Reading, b: Reading) -> bool:
    """What stands in quotation marks, in code or an address is not the same."""
    return _quotes(a) != _quotes(b)


def _quotes(reading: Reading) -> Counter[str]:
    """Count quotations. Case counts within them, marks around them do not."""
    return Counter(match.strip(_MARKS) for match in _QUOTED.findall(reading.text))
