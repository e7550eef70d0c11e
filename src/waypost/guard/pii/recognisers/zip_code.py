"""Postal codes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from waypost.guard.pii.finding import Finding
from waypost.guard.pii.recognisers.base import CUED, lowered

__all__ = ["ZipCode"]

_WORDS = ("zip", "post", "plz", "cep", "邮")
_CUED = re.compile(
    r"(?:(?<![A-Za-z.])(?:zip(?: ?codes?)?|postal codes?|post ?codes?|postcode|plz|cep)|邮编|邮政编码)"
    r"[ :#=\"']{0,5}(?:is |是|为)?[ :]{0,2}"
    r"(?P<value>[0-9]{3} [0-9]{2}|[0-9]{2}-[0-9]{3}|[0-9]{5}-[0-9]{3,4}|[0-9]{4} ?[A-Z]{2}|[0-9]{4,8}"
    r"|[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]|[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][A-Z]{2})(?![0-9A-Za-z_]|[.,-][0-9])",
    re.IGNORECASE,
)


class ZipCode:
    """A postal code that is called one; the classifier finds those in addresses."""

    name = "zip_code"
    types = frozenset({"ZIP_CODE"})

    def find(self, text: str) -> Iterator[Finding]:
        """Find codes that follow the word."""
        lower = lowered(text)
        if not any(word in lower for word in _WORDS):
            return
        for match in _CUED.finditer(text):
            yield Finding(match.start("value"), match.end("value"), "ZIP_CODE", CUED, self.name)
