"""TCP addresses to listen on: whether they are free, and what they are in figures."""

from __future__ import annotations

import errno
import socket
from ipaddress import ip_address
from typing import Final

from waypost.config.units import HostPort
from waypost.errors import SetupError

__all__ = ["is_ip", "numeric", "require_free"]

_WHY: Final = {
    errno.EADDRINUSE: "is taken: stop what listens there, or choose another",
    errno.EADDRNOTAVAIL: "is not an address of this machine: choose another",
    errno.EACCES: "needs privileges: choose a port from 1024 up",
}


def is_ip(host: str) -> bool:
    """Tell whether ``host`` is an IPv4 or IPv6 address rather than a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def numeric(name: str, address: HostPort) -> HostPort:
    """Resolve the host of ``address``.

    Raises SetupError when the host cannot be resolved; ``name`` is the configuration key to blame.
    """
    return HostPort(*_resolve(name, address)[1][:2])


def require_free(name: str, address: HostPort) -> None:
    """Raise SetupError unless a server could listen on ``address`` now.

    ``name`` is the configuration key to change, such as ``listeners.http``. Port 0 is always free.
    """
    family, target = _resolve(name, address)
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of an earlier run may linger
        try:
            probe.bind(target)
        except OSError as error:
            why = _WHY.get(error.errno or 0, f"cannot be used ({error.strerror}): choose another")
            raise SetupError(f"port {address.port} on {address.host} {why} with {name}") from error


def _resolve(name: str, address: HostPort) -> tuple[socket.AddressFamily, tuple[str, int]]:
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        raise SetupError(f"the host of {name}, {address.host!r}, has no address: {error.strerror}") from error
    family, *_, target = found[0]
    return family, (str(target[0]), int(target[1]))
