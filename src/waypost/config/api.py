"""Who may use the HTTP API, and how much."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Annotated, Final, Literal

from pydantic import Field, WithJsonSchema, field_validator

from waypost.config.naming import Name
from waypost.config.strict import Strict
from waypost.config.units import Bytes, parse_bytes

__all__ = ["ApiConfig", "ApiToken", "Role", "is_loopback"]

Role = Literal["read", "operate"]

_VARIABLE: Final = r"^[A-Za-z_][A-Za-z0-9_]*$"
_ORIGIN: Final = r"^https?://[A-Za-z0-9._\-\[\]:]+$"


class ApiToken(Strict):
    """Somebody who may use the API with ``Authorization: Bearer``."""

    name: Name
    """Who it is, for the log."""
    env: Annotated[str, WithJsonSchema({"type": "string", "pattern": _VARIABLE})]
    """Environment variable with the token, of at least 16 characters."""
    role: Role = "read"
    """``read`` asks and looks; ``operate`` also changes the configuration, which is as much as to own the router."""

    @field_validator("env")
    @classmethod
    def _is_a_variable(cls, name: str) -> str:
        # The message never repeats the value: people put the token itself here.
        if not re.fullmatch(_VARIABLE, name):
            raise ValueError("needs the name of an environment variable such as WAYPOST_TOKEN, not the token itself")
        return name


class ApiConfig(Strict):
    """The HTTP API on ``listeners.api``."""

    tokens: tuple[ApiToken, ...] = ()
    """Who may use it. Without any, whoever reaches it may do everything, so then it must listen on the loopback."""
    origins: tuple[Annotated[str, Field(pattern=_ORIGIN)], ...] = ()
    """Web pages of other sites that may use it from a browser, such as ``https://console.example.com``."""
    requests_per_minute: int = Field(600, ge=1)
    """Of one client address; one more is answered with 429. ``/health`` and ``/ready`` are not counted."""
    max_body: Bytes = 4 * 2**20
    """A longer request is answered with 413."""

    @field_validator("max_body")
    @classmethod
    def _holds_a_configuration(cls, size: int) -> int:
        if not parse_bytes("1KiB") <= size <= parse_bytes("64MiB"):
            raise ValueError("must be between 1KiB and 64MiB")
        return size


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens on ``host``."""
    if host.casefold() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
