"""The recognisers. A new one is a file here, a line in the list below, and a table of tests."""

from __future__ import annotations

from typing import Final

from waypost.guard.pii.recognisers.api_key import ApiKey
from waypost.guard.pii.recognisers.base import Recogniser
from waypost.guard.pii.recognisers.cn_id_card import CnIdCard
from waypost.guard.pii.recognisers.cn_passport import CnPassport
from waypost.guard.pii.recognisers.credit_card import CreditCard
from waypost.guard.pii.recognisers.crypto_wallet import CryptoWallet
from waypost.guard.pii.recognisers.email import Email
from waypost.guard.pii.recognisers.iban import Iban
from waypost.guard.pii.recognisers.ip_address import IpAddress
from waypost.guard.pii.recognisers.license_plate import LicensePlate
from waypost.guard.pii.recognisers.mac_address import MacAddress
from waypost.guard.pii.recognisers.passport import Passport
from waypost.guard.pii.recognisers.phone import Phone
from waypost.guard.pii.recognisers.tax_id import TaxId
from waypost.guard.pii.recognisers.uk_nino import UkNino
from waypost.guard.pii.recognisers.us_driver_license import UsDriverLicense
from waypost.guard.pii.recognisers.us_ssn import UsSsn
from waypost.guard.pii.recognisers.web import Web
from waypost.guard.pii.recognisers.zip_code import ZipCode

__all__ = ["RECOGNISERS", "Recogniser"]

RECOGNISERS: Final[tuple[Recogniser, ...]] = (
    ApiKey(),
    CnIdCard(),
    CnPassport(),
    CreditCard(),
    CryptoWallet(),
    Email(),
    Iban(),
    IpAddress(),
    LicensePlate(),
    MacAddress(),
    Passport(),
    Phone(),
    TaxId(),
    UkNino(),
    UsDriverLicense(),
    UsSsn(),
    Web(),
    ZipCode(),
)
