"""TLS: the files must be there, belong together, and convince the other side."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from waypost.config.certificates import refusal, require_authorities
from waypost.config.checks.subject import Finding, Subject
from waypost.config.place import Place
from waypost.errors import SetupError

__all__ = ["certificates_are_usable", "envoy_trusts_the_processor", "keys_are_private"]


class _Pair(NamedTuple):
    place: Place
    certificate: Path
    key: Path
    of_client: bool = False


def certificates_are_usable(subject: Subject) -> Iterator[Finding]:
    """Refuse files that cannot be used at all; warn of certificates that nobody would accept now."""
    for place, ca in _authorities(subject):
        try:
            require_authorities(ca)
        except SetupError as error:
            yield Finding(place, str(error))
    for pair in _pairs(subject):
        try:
            why = refusal(pair.certificate, pair.key, of_client=pair.of_client)
        except SetupError as error:
            yield Finding((*pair.place, "certificate"), str(error))
            continue
        if why:
            message = f"{pair.certificate}: {why}; whoever checks it will not connect"
            yield Finding((*pair.place, "certificate"), message, warning=True)


def keys_are_private(subject: Subject) -> Iterator[Finding]:
    """Warn of keys that every user of the machine may read."""
    for pair in _pairs(subject):
        try:
            mode = pair.key.stat().st_mode
        except OSError:  # told with the certificates
            continue
        if mode & stat.S_IROTH:
            message = f"{pair.key} may be read by everybody on this machine: chmod o-r"
            yield Finding((*pair.place, "key"), message, warning=True)


def envoy_trusts_the_processor(subject: Subject) -> Iterator[Finding]:
    """Refuse what waypost and its own Envoy could not agree on: each must know the other's authority."""
    tls, enabled = subject.config.tls.extproc, subject.config.envoy.enabled
    if tls is None:
        return
    place: Place = ("tls", "extproc")
    if tls.envoy is None:
        if enabled:
            yield Finding(place, "waypost's own Envoy needs envoy.ca, the authority of this certificate", key=True)
        return
    if not enabled:
        message = "no effect: envoy.enabled is false, so your Envoy has its own configuration"
        yield Finding((*place, "envoy"), message, warning=True, key=True)
        return
    pairs = [(tls.certificate, tls.key, tls.envoy.ca, False, (*place, "envoy", "ca"))]
    if tls.client_ca and tls.envoy.certificate and tls.envoy.key:
        pairs += [(tls.envoy.certificate, tls.envoy.key, tls.client_ca, True, (*place, "client_ca"))]
    for certificate, key, ca, of_client, where in pairs:
        yield from _distrust(_path(certificate), _path(key), _path(ca), of_client=of_client, place=where)


def _distrust(certificate: Path, key: Path, ca: Path, *, of_client: bool, place: Place) -> Iterator[Finding]:
    try:
        why = refusal(certificate, key, ca, of_client=of_client)
        alone = refusal(certificate, key, of_client=of_client)
    except SetupError:
        return  # told by certificates_are_usable
    if why and not alone:
        yield Finding(place, f"{ca} is not the authority of {certificate}: {why}")


def _pairs(subject: Subject) -> Iterator[_Pair]:
    tls = subject.config.tls
    for name in ("extproc", "api", "metrics"):
        if server := getattr(tls, name):
            yield _Pair(("tls", name), _path(server.certificate), _path(server.key))
    envoy = tls.extproc.envoy if tls.extproc else None
    if envoy and envoy.certificate and envoy.key:
        yield _Pair(("tls", "extproc", "envoy"), _path(envoy.certificate), _path(envoy.key), of_client=True)


def _authorities(subject: Subject) -> Iterator[tuple[Place, Path]]:
    tls = subject.config.tls
    for name in ("extproc", "api", "metrics"):
        server = getattr(tls, name)
        if server and server.client_ca:
            yield ("tls", name, "client_ca"), _path(server.client_ca)
    if tls.extproc and tls.extproc.envoy:
        yield ("tls", "extproc", "envoy", "ca"), _path(tls.extproc.envoy.ca)


def _path(text: str) -> Path:
    return Path(text).expanduser()
