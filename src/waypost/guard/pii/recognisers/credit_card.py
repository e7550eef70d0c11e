"""Bank cards of all kinds, debit cards included."""

from __future__ import annotations

import re
from collections.abc import Iterator

from waypost.guard.pii.checksums import luhn
from waypost.guard.pii.finding import Finding
from waypost.guard.pii.recognisers.base import CUED, LIKELY, PLAUSIBLE, PROVEN, WEAK, cues, last_cue

__all__ = ["CreditCard"]

_NUMBER = re.compile(
    r"[0-9](?<![0-9A-Za-z_][0-9])(?<![0-9][.,-][0-9])(?:[ -]?[0-9]){11,18}(?![0-9A-Za-z_]|[ -]?[0-9]|[.,][0-9])"
)
_BRANDS = re.compile(
    r"4(?:.{12}|.{15}|.{18})"  # Visa
    r"|(?:5[1-5]..|222[1-9]|22[3-9].|2[3-6]..|27[01].|2720).{12}"  # Mastercard
    r"|3[47].{13}"  # American Express
    r"|3(?:0[0-59].|[689]..).{10}|3(?:0[0-59].|[689]..).{12,15}"  # Diners
    r"|(?:6011|64[4-9].|65..).{12,15}"  # Discover
    r"|(?:352[89]|35[3-8].).{12,15}|(?:2131|1800).{11}"  # JCB
    r"|62.{14,17}"  # UnionPay
    r"|(?:5018|5020|5038|5[6-8]..|6304|67[0-9].).{8,15}"  # Maestro
)
_CUES = cues(
    r"(?P<yes>(?:credit|debit|bank|payment) cards?|cards?|visa|mastercard|amex|charge|cc|kreditkarte|carte"
    r"|tarjeta|pay with|refund)"
    r"|(?P<no>isbn|order|tracking|invoice|ticket|parcel|serial|imei|hash|id|phone|tel|account|iban)",
    "(?P<y>信用卡|银行卡|储蓄卡|借记卡|卡号)|(?P<n>订单|单号|运单|流水|编号|身份证)",
)
_GROUPED = re.compile(r"[0-9]{4}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{1,7}|[0-9]{4}([ -])[0-9]{6}\2[0-9]{4,5}")
_USUAL = (15, 16)
_BANK_LENGTHS = range(16, 20)


class CreditCard:
    """12 to 19 digits that pass Luhn's check: of a known brand, or called a card by the words before."""

    name = "credit_card"
    types = frozenset({"CREDIT_CARD"})

    def find(self, text: str) -> Iterator[Finding]:
        """Find numbers; one that the words before call something else is weak."""
        for match in _NUMBER.finditer(text):
            digits = match[0].replace(" ", "").replace("-", "")
            if len(set(digits)) > 1 and luhn(digits):
                score = _sureness(match[0], digits, last_cue(text, match.start(), _CUES))
                if score:
                    yield Finding(match.start(), match.end(), "CREDIT_CARD", score, self.name)


def _sureness(written: str, digits: str, cue: str) -> float:
    called_card = cue.startswith("y")
    if not _BRANDS.fullmatch(digits):
        if len(digits) not in _BANK_LENGTHS or cue.startswith("n"):
            return 0.0
        return CUED if called_card else PLAUSIBLE if _GROUPED.fullmatch(written) else 0.0
    if called_card:
        return PROVEN
    if cue:
        return WEAK
    if written != digits:
        return PROVEN if _GROUPED.fullmatch(written) else WEAK
    return CUED if len(digits) in _USUAL else LIKELY
