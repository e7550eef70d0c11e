"""Reversible masking: the values of one request, and what stands for them on their way to a model and back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from re import Match

from waypost.guard.pii import surrogate
from waypost.guard.pii.finding import Finding
from waypost.guard.pii.surrogate import SURROGATE

__all__ = ["Vault"]


class Vault:
    """Keeps what was masked in one request; lives as long as its answer, and is never stored or printed.

    The same value of the same type has one surrogate in all texts; ``<PERSON_1>`` is the first person. A name that the
    request's own ``texts`` hold, bent or not, is never given: for those texts ``restore(mask(x)) == x``, always.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._taken = {surrogate.name_of(found) for text in texts for found in SURROGATE.finditer(text)}
        self._last: Counter[str] = Counter()
        self._names: dict[tuple[str, str], str] = {}
        self._values: dict[str, str] = {}

    def __len__(self) -> int:
        """Count the distinct values masked so far."""
        return len(self._values)

    def mask(self, text: str, findings: Iterable[Finding]) -> str:
        """Put surrogates for the findings, whose offsets are in ``text``, one of those that the vault was told of.

        Findings that overlap are masked as one, of the type of the first.
        """
        pieces: list[str] = []
        position = 0
        for start, end, type_ in _apart(sorted(findings, key=lambda finding: (finding.start, -finding.end))):
            pieces += (text[position:start], f"<{self._name(surrogate.label(type_), text[start:end])}>")
            position = end
        return "".join((*pieces, text[position:]))

    def restore(self, text: str, *, in_json: bool = False) -> str:
        """Put the values back, each in the escape of its surrogate's brackets (see :mod:`.surrogate`).

        ``in_json``: the text is JSON, or a piece of it, and the values are escaped for its strings.
        """

        def value(found: Match[str]) -> str:
            original = self._values.get(surrogate.name_of(found))
            return found[0] if original is None else surrogate.written_like(found, original, in_json=in_json)

        return SURROGATE.sub(value, text)

    def held_from(self, text: str) -> int:
        """Find where ``text`` must be cut because its end may be the beginning of a surrogate; its length if not."""
        return surrogate.held_from(text, self._values)

    def _name(self, label: str, value: str) -> str:
        name = self._names.get((label, value))
        if name is None:
            name = self._names[label, value] = self._new_name(label)
            self._values[name] = value
        return name

    def _new_name(self, label: str) -> str:
        while True:
            self._last[label] += 1
            name = f"{label}_{self._last[label]}"
            if name not in self._taken:
                return name


def _apart(findings: Sequence[Finding]) -> Iterator[tuple[int, int, str]]:
    """Join what overlaps; ``findings`` come in order."""
    start = end = 0
    kind = ""
    for finding in findings:
        if finding.start < end:
            end = max(end, finding.end)
            continue
        if start < end:
            yield start, end, kind
        start, end, kind = finding.start, finding.end, finding.type
    if start < end:
        yield start, end, kind
