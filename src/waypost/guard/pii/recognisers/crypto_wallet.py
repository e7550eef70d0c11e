"""Addresses of crypto-currency wallets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import reduce
from hashlib import sha256
from typing import Final

from waypost.guard.pii.finding import Finding
from waypost.guard.pii.recognisers.base import LIKELY, PROVEN

__all__ = ["CryptoWallet"]

_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKS: Final = frozenset({1, 0x2BC830A3})
"""What is left of a valid code: bech32 (BIP 173) and bech32m (BIP 350)."""

_PREFIXES = ("bc1", "tb1", "ltc1")
_END = r"(?![0-9A-Za-z_/+=])"
_BASE58_CODE = re.compile(rf"[13LMDT](?<![0-9A-Za-z_/+=].)[1-9A-HJ-NP-Za-km-z]{{25,34}}{_END}")
_BECH32_CODE = re.compile(rf"[blt](?<![0-9A-Za-z_].)(?:b|tc|c)1[02-9ac-hj-np-z]{{11,71}}{_END}")
_HEX_CODE = re.compile(rf"0x(?<![0-9A-Za-z_]..)[0-9A-Fa-f]{{40}}{_END}")


class CryptoWallet:
    """Bitcoin and its kin by their checksums; Ethereum by its form, as its checksum is optional."""

    name = "crypto_wallet"
    types = frozenset({"CRYPTO_WALLET"})

    def find(self, text: str) -> Iterator[Finding]:
        """Find addresses."""
        found = [(match, PROVEN) for match in _BASE58_CODE.finditer(text) if _base58check(match[0])]
        if any(prefix in text for prefix in _PREFIXES):
            found += [(match, PROVEN) for match in _BECH32_CODE.finditer(text) if _bech32(match[0])]
        if "0x" in text:
            found += [(match, LIKELY) for match in _HEX_CODE.finditer(text)]
        for match, score in sorted(found, key=lambda pair: pair[0].start()):
            yield Finding(match.start(), match.end(), "CRYPTO_WALLET", score, self.name)


def _base58check(code: str) -> bool:
    """One byte of version, 20 of hash, 4 of check."""
    number = reduce(lambda total, character: total * 58 + _BASE58.index(character), code, 0)
    if number.bit_length() > 8 * 25:
        return False
    data = number.to_bytes(25, "big")
    return sha256(sha256(data[:21]).digest()).digest()[:4] == data[21:]


def _bech32(code: str) -> bool:
    prefix, _, data = code.partition("1")
    values = [ord(character) >> 5 for character in prefix] + [0] + [ord(character) & 31 for character in prefix]
    return reduce(_polymod, values + [_BECH32.index(character) for character in data], 1) in _CHECKS


def _polymod(check: int, value: int) -> int:
    top = check >> 25
    check = (check & 0x1FFFFFF) << 5 ^ value
    return reduce(int.__xor__, (term for bit, term in enumerate(_GENERATOR) if top >> bit & 1), check)
