"""API keys, tokens, passwords and private keys."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from math import log2
from typing import Final

from waypost.guard.pii.finding import Finding
from waypost.guard.pii.recognisers.base import CUED, LIKELY, PROVEN, leftmost, lowered

__all__ = ["ApiKey"]

_ISSUED: Final = {
    "sk-": "[A-Za-z0-9_-]{20,200}",
    "ghp_": "[A-Za-z0-9]{36,251}",
    "gho_": "[A-Za-z0-9]{36,251}",
    "ghu_": "[A-Za-z0-9]{36,251}",
    "ghs_": "[A-Za-z0-9]{36,251}",
    "ghr_": "[A-Za-z0-9]{36,251}",
    "github_pat_": "[A-Za-z0-9_]{22,255}",
    "glpat-": "[A-Za-z0-9_-]{20,100}",
    "AKIA": "[0-9A-Z]{16}",
    "ASIA": "[0-9A-Z]{16}",
    "LTAI": "[0-9A-Za-z]{12,26}",
    "AKID": "[0-9A-Za-z]{32}",
    "xox": "[abeoprs]-[0-9A-Za-z-]{10,250}",
    "AIza": "[0-9A-Za-z_-]{35}",
    "sk_live_": "[0-9A-Za-z]{16,120}",
    "rk_live_": "[0-9A-Za-z]{16,120}",
    "sk_test_": "[0-9A-Za-z]{16,120}",
    "SG.": r"[0-9A-Za-z_-]{22}\.[0-9A-Za-z_-]{43}",
    "hf_": "[A-Za-z0-9]{30,40}",
    "npm_": "[A-Za-z0-9]{36}",
    "pypi-AgE": "[A-Za-z0-9_-]{50,250}",
    "eyJ": r"[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10,2000}",
}
"""Prefixes of keys (``eyJ``: of a JSON web token), and what follows."""

_KEYS = {
    prefix: re.compile(rf"{re.escape(prefix)}(?<![0-9A-Za-z_-]{re.escape(prefix)}){rest}(?![0-9A-Za-z_])")
    for prefix, rest in _ISSUED.items()
}
_BLOCK = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,2}PRIVATE KEY(?: BLOCK)?-----")
_BLOCK_END = re.compile(r"-----END (?:[A-Z0-9]{1,12} ){0,2}PRIVATE KEY(?: BLOCK)?-----")
_BLOCK_LINES = re.compile(r"(?:[\s\\nr]{1,4}[A-Za-z0-9+/=]{16,76}+){0,400}+")
_LONGEST_BLOCK = 20_000
_NAMES: Final = ("password", "passwd", "pwd", "passphrase", "密码", "口令", "secret", "token", "key", "密钥")
_PASSWORDS: Final = frozenset(_NAMES[:6])
_ASSIGNED = {
    name: re.compile(
        rf"{name}(?<![a-z]{name})[\"']?(?: is |\s{{0,3}}[:=：是为]\s{{0,3}})[\"'`]?"
        r"(?P<value>[^\s\"'`,;<>(){}\[\]\\，。；]{8,200})"
    )
    for name in _NAMES
}
_KEY_LENGTH, _KEY_BITS = 16, 3.3


class ApiKey:
    """Keys with an issuer's prefix, private-key blocks, and what an assignment calls a key or a password."""

    name = "api_key"
    types = frozenset({"API_KEY"})

    def find(self, text: str) -> Iterator[Finding]:
        """Find secrets; of two that overlap the one that begins first, the longer of equals."""
        return leftmost(self._all(text))

    def _all(self, text: str) -> Iterator[Finding]:
        for prefix, form in _KEYS.items():
            if prefix in text:
                for match in form.finditer(text):
                    yield Finding(match.start(), match.end(), "API_KEY", PROVEN, self.name)
        if "PRIVATE KEY" in text:
            yield from self._blocks(text)
        yield from self._assigned(text)

    def _blocks(self, text: str) -> Iterator[Finding]:
        """Find blocks; of one that was cut off what is there of its lines: half a key is still a secret."""
        end = 0
        for match in _BLOCK.finditer(text):
            if match.start() >= end:
                closing = _BLOCK_END.search(text, match.end(), match.end() + _LONGEST_BLOCK)
                lines = closing or _BLOCK_LINES.match(text, match.end())
                end = lines.end() if lines else match.end()
                yield Finding(match.start(), end, "API_KEY", PROVEN, self.name)

    def _assigned(self, text: str) -> Iterator[Finding]:
        lower = lowered(text)
        for name, form in _ASSIGNED.items():
            secret, score = (_is_password, LIKELY) if name in _PASSWORDS else (_is_random, CUED)
            for match in form.finditer(lower) if name in lower else ():
                start, end = match.span("value")
                value = text[start:end].rstrip(".!?:")
                if secret(value) and text[end : end + 1] not in {"(", "["}:
                    yield Finding(start, start + len(value), "API_KEY", score, self.name)


def _is_password(value: str) -> bool:
    """Letters, digits and something else: capitals or marks. A dotted name is code."""
    mixed = any(map(str.isdigit, value)) and any(map(str.isalpha, value))
    return (mixed and not value.islower() and not value.replace(".", "").isidentifier()) or _is_random(value)


def _is_random(value: str) -> bool:
    """Long, of letters and digits, with as many bits a character as English words do not reach."""
    mixed = any(map(str.isdigit, value)) and any(map(str.isalpha, value))
    return mixed and len(value) >= _KEY_LENGTH and _bits(value) >= _KEY_BITS and "." not in value and "$" not in value


def _bits(value: str) -> float:
    """Shannon's entropy a character."""
    return -sum(count / len(value) * log2(count / len(value)) for count in Counter(value).values())
