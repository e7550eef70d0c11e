"""Scalars with units, as an operator writes them: ``250ms``, ``50MiB``, ``127.0.0.1:8801``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, WithJsonSchema

__all__ = [
    "Address",
    "Bytes",
    "HostPort",
    "PositiveSeconds",
    "Seconds",
    "format_bytes",
    "format_seconds",
    "parse_address",
    "parse_bytes",
    "parse_seconds",
]

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_LONGEST = 366 * _SECONDS["d"]
_LARGEST = 2.0**50
_NUMBER = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?) ?([A-Za-z]+)")
_HOST_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})")


class HostPort(NamedTuple):
    """A host and a TCP port. Port 0 lets the system choose."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_seconds(value: object) -> float:
    """``"250ms"`` → 0.25, to the nanosecond. Raises ValueError without a known unit and beyond 366 days."""
    seconds = _scaled(value, _SECONDS, "a duration such as 250ms, 5s, 10m or 1h")
    if seconds > _LONGEST:
        raise ValueError("must be at most 366d")
    return round(seconds, 9)


def parse_bytes(value: object) -> int:
    """``"50MiB"`` → 52428800. Raises ValueError without a known unit and beyond 1 PiB."""
    size = _scaled(value, _BYTES, "a size such as 64KiB, 10MB or 50MiB")
    if size > _LARGEST:
        raise ValueError("must be at most 1048576GiB")
    return int(size)


def parse_address(value: object) -> HostPort:
    """``"127.0.0.1:8801"`` or ``"[::1]:8801"`` → Address. Raises ValueError."""
    if isinstance(value, HostPort):
        return value
    found = _HOST_PORT.fullmatch(value) if isinstance(value, str) else None
    if not found or int(found[2]) > 65535:
        raise ValueError("expected host:port, such as 127.0.0.1:8801")
    return HostPort(found[1].strip("[]"), int(found[2]))


def _scaled(value: object, units: Mapping[str, float], expected: str) -> float:
    found = _NUMBER.fullmatch(value) if isinstance(value, str) else None
    if not found or found[2] not in units:
        raise ValueError(f"expected {expected}")
    return float(found[1]) * units[found[2]]


def format_seconds(value: float) -> str:
    """0.25 → ``250ms``: what :func:`parse_seconds` reads back to the same number."""
    for unit in ("d", "h", "m", "s"):
        if value >= _SECONDS[unit] and value % _SECONDS[unit] == 0:
            return f"{int(value / _SECONDS[unit])}{unit}"
    return f"{value * 1000:.6f}".rstrip("0").rstrip(".") + "ms"


def format_bytes(value: int) -> str:
    """52428800 → ``50MiB``: what :func:`parse_bytes` reads back to the same number."""
    for unit in ("GiB", "MiB", "KiB"):
        if value >= _BYTES[unit] and value % _BYTES[unit] == 0:
            return f"{value // _BYTES[unit]}{unit}"
    return f"{value}B"


def _not_zero(value: float) -> float:
    if value <= 0:
        raise ValueError("must be longer than 0s")
    return value


Seconds = Annotated[
    float,
    BeforeValidator(parse_seconds),
    PlainSerializer(format_seconds),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^[0-9]{1,15}(\.[0-9]{1,9})? ?(ms|s|m|h|d)$",
            "examples": ["250ms", "5s", "10m", "1h"],
        }
    ),
]
"""A duration in seconds."""

PositiveSeconds = Annotated[Seconds, AfterValidator(_not_zero)]
"""A duration in seconds, above zero."""

Bytes = Annotated[
    int,
    BeforeValidator(parse_bytes),
    PlainSerializer(format_bytes),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^[0-9]{1,15}(\.[0-9]{1,9})? ?(B|KB|MB|GB|KiB|MiB|GiB)$",
            "examples": ["64KiB", "50MiB"],
        }
    ),
]
"""A size in bytes."""

Address = Annotated[
    HostPort,
    BeforeValidator(parse_address),
    PlainSerializer(str),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}$",
            "examples": ["127.0.0.1:8801"],
        }
    ),
]
"""``host:port``."""
