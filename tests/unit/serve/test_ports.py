"""Addresses to listen on."""

from __future__ import annotations

import socket

import pytest

from waypost.config.units import HostPort
from waypost.errors import SetupError
from waypost.serve.ports import is_ip, numeric, require_free


@pytest.fixture
def taken():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield HostPort("127.0.0.1", server.getsockname()[1])


def test_a_free_port_is_free_and_stays_so():
    require_free("listeners.http", HostPort("127.0.0.1", 0))
    require_free("listeners.http", HostPort("localhost", 0))


def test_a_taken_port_names_the_key_to_change(taken):
    with pytest.raises(SetupError) as caught:
        require_free("listeners.api", taken)
    line = f"port {taken.port} on 127.0.0.1 is taken: stop what listens there, or choose another with listeners.api"
    assert str(caught.value) == line
    assert caught.value.exit_code == 3


def test_a_port_left_by_closed_connections_is_free(taken):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = HostPort(*server.getsockname())
        with socket.create_connection(address) as client:
            accepted, _ = server.accept()
            accepted.close()  # first, so that the server's side lingers in TIME_WAIT
            client.recv(1)
    require_free("listeners.http", address)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (HostPort("192.0.2.1", 8801), "is not an address of this machine"),
        (HostPort("no-such-host.invalid", 8801), "has no address"),
    ],
)
def test_an_address_of_somebody_else_is_refused(address, expected):
    with pytest.raises(SetupError, match=expected):
        require_free("listeners.http", address)


def test_names_become_figures():
    assert numeric("listeners.http", HostPort("127.0.0.1", 8801)) == HostPort("127.0.0.1", 8801)
    assert is_ip(numeric("listeners.http", HostPort("localhost", 8801)).host)
    assert not is_ip("localhost")
    assert is_ip("::1")
