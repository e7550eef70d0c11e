"""Telephone numbers of all countries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from waypost.guard.pii.finding import Finding
from waypost.guard.pii.recognisers.base import CUED, LIKELY, PLAUSIBLE, WEAK, cues, last_cue

__all__ = ["Phone"]

_NUMBER = re.compile(
    r"(?:[0-9]|[+(](?=[(0-9]))(?<![0-9A-Za-z_.$€£¥#/\\+*^-].)(?<![0-9],.)"
    r"(?P<body>(?:[ .()/\u00a0-]{0,2}[0-9]){6,17})"
    r"(?P<extension>[ ,;]{0,2}(?i:ext\.?|extension|x|分机|转)[ :]{0,2}[0-9]{1,6})?"
    r"(?![0-9A-Za-z_@%]|[.,:][0-9]|-[0-9A-Za-z])"
)
_NOT_DIGITS = re.compile(r"[^0-9]")
_NORTH_AMERICAN = re.compile(r"(?:\+?1[ .-]?)?(?:\([0-9]{3}\) ?[0-9]{3}[ .-]|[0-9]{3}([.-])[0-9]{3}\1)[0-9]{4}")
_CHINESE_MOBILE = re.compile(r"1[3-9][0-9](?:[0-9]{8}|([ -])[0-9]{4}\1[0-9]{4})")
_SPOKEN_GROUPS = re.compile(r"\(?[0-9]{2,5}\)?[ .()/-]{1,2}[0-9]{2,8}(?:[ .-][0-9]{2,5}){0,4}|[0-9]{10,11}")
_OTHER = re.compile(
    r"(?:19|20)[0-9]{2}[ ./-][01]?[0-9][ ./-][0-3]?[0-9](?: [0-9]{1,2})?|[0-3]?[0-9][ ./-][0-3]?[0-9][ ./-][0-9]{4}"
    r"|(?:19|20)[0-9]{2}[ -]{1,2}(?:19|20)[0-9]{2}|(?:[0-9]{1,3}\.){3}[0-9]{1,3}|[0-9]{5}-[0-9]{4}"
)
_DECIMALS = re.compile(r"[0-9]{1,3}\.[0-9]{1,17}|[0-9]{4,17}\.(?:[0-9]{1,3}|[0-9]{5,17})")
_CUES = cues(
    r"(?P<yes>(?:tele|cell)?phones?|phone number|tel|mobile|cell|call(?:ed|ing)?|fax|whatsapp|signal|telegram|sms"
    r"|text me|dial|ring|hotline|voicemail|contact|reach|t[eé]l[eé]phone|tel[eé]fono|telefone?|m[oó]vil|celular"
    r"|handy|mobil|telefonnummer|erreich(?:en|bar)|my (?:new )?number|number on file)"
    r"|(?P<no>isbn|issn|doi|order|orders|tracking|invoice|ticket|case|ref|id|version|port|cards?|account|iban|ssn"
    r"|social security number|zip|post ?code|postal code|licen[cs]e|passport|vat|tax|ein|hash|serial|imei|parcel|page"
    r"|charge|dl|dmv|total|sum|answer|seconds|bytes)",
    "(?P<y>电话|手机|致电|拨打|联系方式|热线|传真|座机|来电|微信)|(?P<n>订单|单号|身份证|卡号|账号|账户|流水|邮编|编号|版本|税号)",
)
_SAME_SENTENCE = re.compile(r"[^.!?;\n。！？；]{0,40}")
_WINDOW = 48
_MARKS = frozenset(" /(")
_DIGITS = range(7, 16)
_NATIONAL = 9
_REGIONS: Final = ("GB", "FR", "DE", "IT", "AU", "JP", "CN", "IN", "BR", "NL")
"""Whose national numbers are found without a word before them, when they begin with 0 and are written in groups."""


class Phone:
    """Numbers with a country code, in a country's layout, or after a word like *phone*; the extension belongs to them.

    Our own pattern proposes and libphonenumber's data judge: its own matcher is slower and refuses
    numbers that are written like telephone numbers in an area that was never opened.
    """

    name = "phone"
    types = frozenset({"PHONE_NUMBER"})

    def find(self, text: str) -> Iterator[Finding]:
        """Find numbers."""
        last: Finding | None = None
        for match in _NUMBER.finditer(text):
            start = match.start() + _outer_bracket(match)
            number = text[start : match.end("body")]
            cue = last_cue(text, start, _CUES, min(_WINDOW, start - last.end) if last else _WINDOW)
            if not cue and last and _SAME_SENTENCE.fullmatch(text, last.end, start):
                cue = "yes"  # call Ann (…) or Bob (…)
            score = _sureness(number, cue, extended=match["extension"] is not None)
            if score:
                finding = Finding(start, match.end(), "PHONE_NUMBER", score, self.name)
                last = finding if score > WEAK else None
                yield finding


def _outer_bracket(match: re.Match[str]) -> int:
    """Leave out a bracket that closes only after the number: ``(212 555 0123)``."""
    return int(match[0].startswith("(") and match[0].count("(") > match[0].count(")"))


def _sureness(number: str, cue: str, *, extended: bool) -> float:
    digits = _NOT_DIGITS.sub("", number)
    called_else = cue.startswith("n")
    if (len(digits) not in _DIGITS and not digits.startswith("00")) or len(set(digits)) == 1 or _is_other(number):
        return 0.0
    score = _by_form(number, digits)
    if extended and score:
        score = CUED
    if called_else:
        return min(score, WEAK)
    if cue:
        return CUED if score > WEAK else LIKELY
    return score


def _is_other(number: str) -> bool:
    """Whether this is a date, a ZIP code, a decimal, a formula, or half of something in brackets."""
    formula = "." in number and not _MARKS.isdisjoint(number) and not number.startswith("+")
    unbalanced = number.count("(") != number.count(")")
    return formula or unbalanced or bool(_OTHER.fullmatch(number) or _DECIMALS.fullmatch(number))


def _by_form(number: str, digits: str) -> float:
    """How much a number looks like one without any word before it."""
    grouped = number.lstrip("+") != digits
    if number.startswith("+") or digits.startswith("00"):
        international = _international(digits.removeprefix("00"))
        return international if grouped or international == CUED else WEAK
    if _NORTH_AMERICAN.fullmatch(number):
        return CUED if _is_valid(digits, "US") else LIKELY
    if _CHINESE_MOBILE.fullmatch(number):
        return CUED if _is_valid(digits, "CN") else WEAK
    if (
        grouped
        and digits.startswith("0")
        and len(digits) >= _NATIONAL
        and any(_is_valid(digits, region) for region in _REGIONS)
    ):
        return PLAUSIBLE
    return WEAK if _SPOKEN_GROUPS.fullmatch(number) else 0.0


def _international(digits: str) -> float:
    import phonenumbers

    try:
        parsed = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return 0.0
    if phonenumbers.is_valid_number(parsed):
        return CUED
    return LIKELY if phonenumbers.is_possible_number(parsed) else WEAK


def _is_valid(digits: str, region: str) -> bool:
    import phonenumbers

    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(digits, region))
    except phonenumbers.NumberParseException:
        return False
