"""Whether what two questions quote differs: text in quotation marks, code, addresses, the signs of a formula."""

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
_SIGNS: Final = re.compile(r"[+*^=<>≤≥≠×÷±√∑∫∂]|(?<=\d)\s?[-/:]\s?(?=\d)|(?<=\b\w )-(?= \w\b)")


def quoted(a: Reading, b: Reading) -> bool:
    """What stands in quotation marks, in code or in a formula is not the same."""
    return _quotes(a) != _quotes(b) or _SIGNS.findall(a.text) != _SIGNS.findall(b.text)


def _quotes(reading: Reading) -> Counter[str]:
    """Count quotations. Case counts within them, marks around them do not."""
    return Counter(match.strip(_MARKS) for match in _QUOTED.findall(reading.text))
