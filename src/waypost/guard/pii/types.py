"""The types of personal data that the guard knows; Presidio's names where Presidio has the type."""

from __future__ import annotations

from typing import Final

from waypost.signals.names import PII_TYPES as MODEL_TYPES

__all__ = ["FORMAL_TYPES", "PII_TYPES", "RECOGNISED_TYPES"]

RECOGNISED_TYPES: Final[tuple[str, ...]] = (
    "API_KEY",
    "CN_ID_CARD",
    "CN_PASSPORT",
    "CRYPTO_WALLET",
    "LICENSE_PLATE",
    "MAC_ADDRESS",
    "PASSPORT",
    "TAX_ID",
    "UK_NINO",
    "URL",
)
"""Types that only recognisers find: the classifier was not trained on them.

A bank card of any country is a CREDIT_CARD. A link to a named host is a DOMAIN_NAME, as in the classifier's training
data; URL is a link to a bare IP address.
"""

PII_TYPES: Final[tuple[str, ...]] = tuple(sorted({*MODEL_TYPES, *RECOGNISED_TYPES}))
"""Every type, in alphabetical order."""

FORMAL_TYPES: Final[frozenset[str]] = frozenset(RECOGNISED_TYPES) | {
    "CREDIT_CARD",
    "DOMAIN_NAME",
    "EMAIL_ADDRESS",
    "IBAN_CODE",
    "IP_ADDRESS",
    "PHONE_NUMBER",
    "US_DRIVER_LICENSE",
    "US_SSN",
}
"""Types told by their form: where the classifier and a recogniser disagree on one of these the recogniser is right."""
