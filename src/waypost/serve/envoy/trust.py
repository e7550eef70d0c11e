"""Where this machine keeps the certificate authorities that it trusts."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final

from waypost.errors import SetupError

__all__ = ["ca_bundle"]

_USUAL: Final = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",  # macOS, BSD
)


def ca_bundle() -> Path:
    """Find the system's CA bundle, or the one that ``SSL_CERT_FILE`` names. Raises SetupError when there is none."""
    paths = ssl.get_default_verify_paths()
    for candidate in (paths.cafile, *_USUAL):
        if candidate and Path(candidate).is_file():
            return Path(candidate)
    raise SetupError(
        "no CA certificates to check https endpoints with: install ca-certificates, or set SSL_CERT_FILE to a bundle"
    )
