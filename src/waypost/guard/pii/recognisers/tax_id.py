"""Tax numbers of persons and firms, by the checksums of python-stdnum."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Protocol, cast

from waypost.guard.pii.finding import Finding
from waypost.guard.pii.recognisers.base import CUED, LIKELY, PROVEN, WEAK, before, cues, leftmost

__all__ = ["TaxId"]

_CUES = cues(
    r"vat|ust-?id(?:nr)?|tva|iva|btw|nip|tax(?: id| number| no)?|tin|ein|itin|fiscale?|nif|nie|dni|cif|cpf|cnpj"
    r"|steuer(?:nummer|-?id)?|taxpayer",
    "税号|纳税人|信用代码",
)


@dataclass(frozen=True, slots=True)
class _Kind:
    form: re.Pattern[str]
    module: str
    """Of python-stdnum."""
    alone: float
    """The score without a word before the number."""


def _kind(first: str, rest: str, module: str, alone: float) -> _Kind:
    form = re.compile(rf"{first}(?<![0-9A-Za-z_.-].)(?:{rest})(?![0-9A-Za-z_]|[.,-][0-9])")
    return _Kind(form, module, alone)


_DIGITS = re.compile(r"[0-9]{2}[0-9A-Z .-]{4}[0-9]")
_KINDS = (
    _kind("[ABCDEFHILMNPRS]",
          r"[A-Z](?<=AT|BE|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE|SI|SK) ?"
          r"(?=[A-Z]{0,2}[0-9])[0-9A-Z]{8,12}", "eu.vat", LIKELY),
    _kind("[A-Z]", r"[A-Z]{5}[0-9]{2}[A-EHLMPRST][0-9]{2}[A-Z][0-9]{3}[A-Z]", "it.codicefiscale", PROVEN),
    _kind("[0-9]", r"[0-9]{7}-?[A-HJ-NP-TV-Z]", "es.dni", WEAK),
    _kind("[XYZ]", r"-?[0-9]{7}-?[A-HJ-NP-TV-Z]", "es.nie", LIKELY),
    _kind("[0-9]", r"[0-9]{2}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}", "br.cpf", PROVEN),
    _kind("[159AY]", r"[1239][0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}", "cn.uscc", WEAK),
    _kind("[1-9]", r"[0-9](?: ?[0-9]{3}){3}", "de.idnr", WEAK),
    _kind("9", r"[0-9]{2}-[5-9][0-9]-[0-9]{4}", "us.itin", LIKELY),
    _kind("[0-9]", r"[0-9]-[0-9]{7}", "us.ein", WEAK),
)  # fmt: skip


class TaxId:
    """VAT numbers of the EU and the tax numbers of some countries. One that could be anything needs the word."""

    name = "tax_id"
    types = frozenset({"TAX_ID"})

    def find(self, text: str) -> Iterator[Finding]:
        """Find valid numbers; of two that overlap the one that begins first, the longer of equals."""
        return leftmost(self._all(text))

    def _all(self, text: str) -> Iterator[Finding]:
        if not _DIGITS.search(text):
            return
        for kind in _KINDS:
            for match in kind.form.finditer(text):
                if _check(kind.module).is_valid(match[0]):
                    score = max(CUED, kind.alone) if before(text, match.start(), _CUES, 32) else kind.alone
                    yield Finding(match.start(), match.end(), "TAX_ID", score, self.name)


class _Check(Protocol):
    def is_valid(self, number: str) -> bool: ...


@cache
def _check(module: str) -> _Check:
    """Load a check when a number first needs it."""
    return cast("_Check", import_module(f"stdnum.{module}"))
