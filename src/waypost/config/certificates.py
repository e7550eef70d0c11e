"""What certificate files are good for, found out with the handshakes that they are for."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final

from waypost.errors import SetupError

__all__ = ["refusal", "require_authorities", "require_pair"]

_OFTEN: Final = 3
"""Flights of a handshake: a client hears of the server's refusal in the one after its last."""


def require_pair(certificate: Path, key: Path) -> None:
    """Raise SetupError unless both files can be read and belong together."""
    _loaded(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), certificate, key)


def require_authorities(ca: Path) -> None:
    """Raise SetupError unless the file holds certificates to check others with."""
    _trusting(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ca)


def refusal(certificate: Path, key: Path, ca: Path | None = None, *, of_client: bool = False) -> str:
    """Tell why the other side of a connection would refuse this certificate now; empty when it would not.

    Without ``ca`` the certificate's own authority is taken for granted, which leaves its dates and purposes. The names
    in it are not looked at. Raises SetupError as the other functions here do.
    """
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    shows, checks = (client, server) if of_client else (server, client)
    _loaded(shows, certificate, key)
    if of_client:
        server.load_cert_chain(certificate, key)  # it must show something, too, which nobody looks at
    checks.verify_mode = ssl.CERT_REQUIRED
    checks.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    _trusting(checks, ca or certificate)
    try:
        _shake_hands(server, client)
    except ssl.SSLCertVerificationError as error:
        return str(error.verify_message)
    except ssl.SSLError as error:
        return f"no handshake is possible with it ({error.reason})"
    return ""


def _loaded(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    for path in (certificate, key):
        _require_readable(path)
    try:
        # Without a function that gives a passphrase, OpenSSL asks for it on the terminal.
        context.load_cert_chain(certificate, key, password=lambda: b"")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise SetupError(f"{key} is not the key of {certificate}") from None
        message = f"{certificate} and {key} are no certificate and key in PEM, without a passphrase"
        raise SetupError(message) from None


def _trusting(context: ssl.SSLContext, ca: Path) -> None:
    _require_readable(ca)
    try:
        context.load_verify_locations(ca)
    except ssl.SSLError:
        raise SetupError(f"{ca} holds no certificates in PEM") from None


def _require_readable(path: Path) -> None:
    try:
        path.open("rb").close()
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from None


def _shake_hands(server: ssl.SSLContext, client: ssl.SSLContext) -> None:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = (
        client.wrap_bio(to_client, to_server),
        server.wrap_bio(to_server, to_client, server_side=True),
    )
    for _ in range(_OFTEN):
        for side in sides:
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
