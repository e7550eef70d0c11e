"""The section ``tls``: which of waypost's own listeners speak TLS, and with what."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from waypost.config.strict import Strict

__all__ = ["EnvoyTls", "ExtProcTls", "ServerTls", "TlsConfig"]


class ServerTls(Strict):
    """TLS 1.2 or newer on one listener. New connections get what the files hold then: renewing needs no restart."""

    certificate: str = Field(min_length=1)
    """PEM file: the certificate, then those that lead to its authority."""
    key: str = Field(min_length=1)
    """PEM file: its private key, without a passphrase."""
    client_ca: str | None = Field(None, min_length=1)
    """PEM file: the authorities of clients. Whoever shows no certificate of theirs is refused (mTLS)."""


class EnvoyTls(Strict):
    """What waypost's own Envoy expects and shows when it connects to ExtProc."""

    ca: str = Field(min_length=1)
    """PEM file: the authority of ``tls.extproc.certificate``."""
    certificate: str | None = Field(None, min_length=1)
    """PEM file: Envoy's own certificate, which ``client_ca`` asks for."""
    key: str | None = Field(None, min_length=1)
    """PEM file: its private key, without a passphrase."""

    @model_validator(mode="after")
    def _is_a_pair(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key belong together")
        return self


class ExtProcTls(ServerTls):
    """TLS of ExtProc."""

    envoy: EnvoyTls | None = None
    """For the Envoy that waypost runs; an Envoy of yours has its own configuration."""

    @model_validator(mode="after")
    def _envoy_is_let_in(self) -> Self:
        if self.client_ca is not None and self.envoy is not None and self.envoy.certificate is None:
            raise ValueError("client_ca asks Envoy for a certificate: name envoy.certificate and envoy.key")
        return self


class TlsConfig(Strict):
    """TLS of waypost's own listeners. Absent: plain TCP. Clients' TLS (``listeners.http``) ends in front of Envoy."""

    extproc: ExtProcTls | None = None
    api: ServerTls | None = None
    """The API and the dashboard. With ``client_ca``, tokens are still asked for."""
    metrics: ServerTls | None = None
