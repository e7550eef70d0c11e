"""Who may use the HTTP API, and how much."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from waypost.config.naming import Name
from waypost.config.secret import SecretFile, Variable, only_one, require_variable
from waypost.config.strict import Strict
from waypost.config.units import Bytes, parse_bytes

__all__ = ["SHORTEST_TOKEN", "ApiConfig", "ApiToken", "Role", "is_loopback"]

Role = Literal["read", "operate"]

SHORTEST_TOKEN: Final = 16
"""Characters."""

_ORIGIN: Final = r"^https?://[A-Za-z0-9._\-\[\]:]+$"


class ApiToken(Strict):
    """Somebody who may use the API with ``Authorization: Bearer``."""

    name: Name
    """Who it is, for the log."""
    env: Variable | None = None
    """Environment variable with the token, of at least 16 characters."""
    file: SecretFile | None = None
    """File with the token instead; read again when it changes."""
    role: Role = "read"
    """``read`` asks and looks; ``operate`` also changes the configuration, which is as much as to own the router."""

    @field_validator("env")
    @classmethod
    def _is_a_variable(cls, name: str | None) -> str | None:
        return require_variable(name, "WAYPOST_TOKEN", "token")

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        only_one(env=self.env, file=self.file)
        if self.env is None and self.file is None:
            raise ValueError("needs env or file, which hold the token")
        return self


class ApiConfig(Strict):
    """The HTTP API on ``listeners.api``."""

    tokens: tuple[ApiToken, ...] = ()
    """Who may use it. Without any, whoever reaches it may do everything, so then it must listen on the loopback."""
    origins: tuple[Annotated[str, Field(pattern=_ORIGIN)], ...] = ()
    """Web pages of other sites that may use it from a browser, such as ``https://console.example.com``."""
    requests_per_minute: int = Field(600, ge=1)
    """Of one client address; one more is answered with 429. ``/health``, ``/ready`` and the dashboard's files below
    ``/web/`` are not counted."""
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
