"""Whom Envoy trusts where it connects: the machine's authorities for backends, the configured one for ExtProc."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Final

from waypost.config.tls import EnvoyTls
from waypost.errors import SetupError
from waypost.serve.envoy.bootstrap import watched
from waypost.serve.envoy.names import Block, type_url

__all__ = ["ca_bundle", "secrets", "to_processors", "upstream_tls"]

_TLS: Final = "envoy.extensions.transport_sockets.tls.v3"
_CA: Final = "extproc_ca"
_CERTIFICATE: Final = "extproc_certificate"

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


def upstream_tls(common: Block, **more: object) -> Block:
    """Make the transport socket of a cluster that speaks TLS."""
    context = {"@type": type_url(f"{_TLS}.UpstreamTlsContext"), **more, "common_tls_context": common}
    return {"name": "envoy.transport_sockets.tls", "typed_config": context}


def to_processors(tls: EnvoyTls, secret_file: Callable[[str], Path] | None) -> Block:
    """Make the transport socket to our own ExtProc servers.

    They are on this machine, at addresses that are ours, so the authority alone is asked for and no name.
    """
    if secret_file is None:
        certificates = {"tls_certificates": [_pair(tls)]} if tls.certificate else {}
        return upstream_tls({"validation_context": _authority(tls), **certificates})
    ca, certificate = ({"name": name, "sds_config": watched(secret_file(name))} for name in (_CA, _CERTIFICATE))
    shown = {"tls_certificate_sds_secret_configs": [certificate]} if tls.certificate else {}
    return upstream_tls({"validation_context_sds_secret_config": ca, **shown})


def secrets(tls: EnvoyTls) -> dict[str, Block]:
    """Name the files for :func:`to_processors` as Envoy watches them, one document each. No key is in it."""
    found = {_CA: {"validation_context": {**_authority(tls), **_renewed_in(tls.ca)}}}
    if tls.certificate:
        found[_CERTIFICATE] = {"tls_certificate": {**_pair(tls), **_renewed_in(tls.certificate)}}
    kind = {"@type": type_url(f"{_TLS}.Secret")}
    return {name: {"resources": [{**kind, "name": name, **secret}]} for name, secret in found.items()}


def _authority(tls: EnvoyTls) -> Block:
    return {"trusted_ca": {"filename": _absolute(tls.ca)}}


def _pair(tls: EnvoyTls) -> Block:
    files = {"certificate_chain": tls.certificate, "private_key": tls.key}
    return {name: {"filename": _absolute(file)} for name, file in files.items() if file}


def _renewed_in(file: str) -> Block:
    return {"watched_directory": {"path": str(Path(_absolute(file)).parent)}}


def _absolute(file: str) -> str:
    return str(Path(file).expanduser().absolute())
