"""The guard in tests/conftest.py refuses what it should, and only that."""

from __future__ import annotations

import socket
import urllib.request

import pytest


def test_a_name_is_not_even_looked_up() -> None:
    with pytest.raises(AssertionError, match=r"socket\.getaddrinfo 'aws\.example': tests run with the network off"):
        urllib.request.urlopen("http://aws.example/")


@pytest.mark.parametrize("host", ["169.254.169.254", "10.0.0.1"])
def test_an_address_is_refused(host: str) -> None:
    with socket.socket() as client, pytest.raises(AssertionError, match="network off"):
        client.connect((host, 80))


def test_this_machine_is_reachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()
