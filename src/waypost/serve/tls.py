"""The TLS of our listeners, from files that may be renewed while we listen."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import grpc

from waypost.config.certificates import require_authorities, require_pair
from waypost.config.renewal import Renewal
from waypost.config.tls import ServerTls
from waypost.errors import SetupError

__all__ = ["grpc_credentials", "ssl_context"]

_Made = TypeVar("_Made")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Files:
    certificate: Path
    key: Path
    client_ca: Path | None

    @classmethod
    def of(cls, settings: ServerTls) -> _Files:
        client_ca = Path(settings.client_ca).expanduser() if settings.client_ca else None
        return cls(Path(settings.certificate).expanduser(), Path(settings.key).expanduser(), client_ca)

    @property
    def all(self) -> tuple[Path, ...]:
        return tuple(path for path in (self.certificate, self.key, self.client_ca) if path)

    def require(self) -> None:
        """Raise SetupError unless a server can use the files."""
        require_pair(self.certificate, self.key)
        if self.client_ca:
            require_authorities(self.client_ca)


class _Renewed(Generic[_Made]):
    """What ``make`` makes of the files, made anew when they have changed. Safe for one thread at a time."""

    def __init__(self, files: _Files, make: Callable[[_Files], _Made]) -> None:
        self._files = files
        self._make = make
        self._renewal = Renewal(*files.all)
        files.require()
        self.latest = make(files)

    def changed(self) -> bool:
        """Look at the files, and tell whether :attr:`latest` is new.

        Files that do not fit together are told once, and what was there stays: a key may come after its certificate.
        """
        if not self._renewal.due():
            return False
        try:
            self._files.require()
            self.latest = self._make(self._files)
        except (SetupError, OSError) as error:
            _log.warning("the certificate of before stays in use: %s", error)
            return False
        _log.info("%s was renewed", self._files.certificate)
        return True


def ssl_context(settings: ServerTls) -> ssl.SSLContext:
    """Make the context of an asyncio server; each handshake gets the newest. Raises SetupError."""
    renewed = _Renewed(_Files.of(settings), _context)

    def choose(connection: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _context: ssl.SSLContext) -> None:
        renewed.changed()
        connection.context = renewed.latest

    context = _context(_Files.of(settings))
    context.sni_callback = choose  # called in every handshake, also of a client that names no server
    return context


def grpc_credentials(settings: ServerTls) -> Any:  # noqa: ANN401  (grpc has no types)
    """Make the credentials of a gRPC server; each handshake gets the newest. Raises SetupError."""
    renewed = _Renewed(_Files.of(settings), _configuration)
    return grpc.dynamic_ssl_server_credentials(
        renewed.latest,
        lambda: renewed.latest if renewed.changed() else None,
        require_client_authentication=settings.client_ca is not None,
    )


def _context(files: _Files) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(files.certificate, files.key)
    if files.client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(files.client_ca)
        context.num_tickets = 0  # a resumed session would not be checked again
        context.options |= ssl.OP_NO_TICKET
    return context


def _configuration(files: _Files) -> Any:  # noqa: ANN401  (grpc has no types)
    pair = (files.key.read_bytes(), files.certificate.read_bytes())
    return grpc.ssl_server_certificate_configuration([pair], files.client_ca.read_bytes() if files.client_ca else None)
