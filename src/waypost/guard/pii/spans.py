"""What the token classifier found, tidied: whole words, no stray punctuation, pieces of one thing in one piece."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final, Protocol

from waypost.guard.pii.finding import CLASSIFIER, Finding

__all__ = ["TypedSpan", "tidy"]


class TypedSpan(Protocol):
    """A span as :class:`waypost.inference.tags.Span` has it."""

    @property
    def start(self) -> int:
        """In characters of the text."""
        ...

    @property
    def end(self) -> int:
        """Exclusive."""
        ...

    @property
    def type(self) -> str:
        """One of the classifier's types."""
        ...

    @property
    def score(self) -> float:
        """In [0, 1]."""
        ...


_FORMS: Final = {
    "AGE": re.compile(r"[0-9a-z一二三四五六七八九十百]", re.IGNORECASE),
    "CREDIT_CARD": re.compile(r"(?:[0-9][^0-9]{0,3}){13}"),
    "DOMAIN_NAME": re.compile(r"\.[a-z]", re.IGNORECASE),
    "EMAIL_ADDRESS": re.compile(r"@"),
    "IBAN_CODE": re.compile(r"(?<![0-9A-Za-z])[a-z]{2}[0-9]{2}(?: ?[0-9a-z]){8}", re.IGNORECASE),
    "IP_ADDRESS": re.compile(r"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]|:[0-9a-f]{0,4}:", re.IGNORECASE),
    "PHONE_NUMBER": re.compile(r"(?:[0-9][^0-9]{0,4}){6}"),
    "US_DRIVER_LICENSE": re.compile(r"(?:[0-9][^0-9]{0,2}){5}"),
    "US_SSN": re.compile(r"(?:[0-9][^0-9]{0,2}){9}"),
}
"""Without this a span is not of its type, however sure the classifier is."""

_JOINTS: Final = {
    "DATE_TIME": re.compile(r",? ?|[-/.:]"),
    "PERSON": re.compile(r"[ -]?"),
    "STREET_ADDRESS": re.compile(r"[,.]? ?|,?\n|-"),
    "TITLE": re.compile(r" ?|/"),
}
"""What may stand between two pieces of one thing. Between names a comma makes a list."""
_ANY_JOINT: Final = re.compile(r"")
_LONGEST_WORD: Final = 40
_OUTER: Final = " \t\n\r,;:!?\"'“”‘’，。；：！？、"
_BRACKETS: Final = (("(", ")"), ("[", "]"), ("（", "）"))


def tidy(text: str, spans: Iterable[TypedSpan]) -> list[Finding]:
    """Turn the classifier's spans into findings, in order; spans that cannot be of their type are dropped."""
    ordered = sorted(spans, key=lambda span: (span.start, span.end, span.type))
    found = (Finding(span.start, span.end, span.type, min(1.0, span.score), CLASSIFIER) for span in ordered)
    joined = _join(text, (_whole_words(text, finding) for finding in found))
    trimmed = (_trim(text, finding) for finding in joined)
    return [finding for finding in trimmed if finding.start < finding.end and _has_form(text, finding)]


def _whole_words(text: str, finding: Finding) -> Finding:
    start, end = finding.start, finding.end
    first, last = max(0, start - _LONGEST_WORD), min(len(text), end + _LONGEST_WORD)
    while first < start < end and _inside_word(text, start):
        start -= 1
    while start < end < last and _inside_word(text, end):
        end += 1
    return replace(finding, start=start, end=end)


def _inside_word(text: str, index: int) -> bool:
    """Whether letters or digits of one script stand on both sides; Han has no words."""
    pair = text[index - 1 : index + 1]
    return pair.isalnum() and max(pair) < "\u2e80"


def _join(text: str, found: Iterable[Finding]) -> Iterator[Finding]:
    last: Finding | None = None
    for finding in found:
        if last and finding.end <= last.end:
            continue
        if last and _belong_together(text, last, finding):
            score = min(last.score, finding.score)
            last = replace(last, end=finding.end, score=score)
            continue
        if last:
            yield last
        last = finding
    if last:
        yield last


def _belong_together(text: str, left: Finding, right: Finding) -> bool:
    if left.type != right.type:
        return False
    joint = _JOINTS.get(left.type, _ANY_JOINT)
    return right.start <= left.end or joint.fullmatch(text, left.end, right.start) is not None


def _trim(text: str, finding: Finding) -> Finding:
    start, end = finding.start, finding.end
    while start < end and text[start] in _OUTER:
        start += 1
    while start < end and _is_loose_end(text, start, end):
        end -= 1
    for opening, closing in _BRACKETS:
        piece = text[start:end]
        if piece.count(opening) > piece.count(closing) and text[end : end + 1] == closing:
            end += 1
    return replace(finding, start=start, end=end)


def _is_loose_end(text: str, start: int, end: int) -> bool:
    last = text[end - 1]
    if last == ".":  # of a sentence after a number; of an abbreviation after a letter
        return text[end - 2 : end - 1].isdigit()
    opened = any(last == opening for opening, _ in _BRACKETS)
    closed = any(last == closing and opening not in text[start:end] for opening, closing in _BRACKETS)
    return last in _OUTER or opened or closed


def _has_form(text: str, finding: Finding) -> bool:
    form = _FORMS.get(finding.type)
    return form is None or form.search(text, finding.start, finding.end) is not None
