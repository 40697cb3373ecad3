"""What holds for every test: no network, and the same examples in every run."""

from __future__ import annotations

import ipaddress
import os
import sys
from typing import Any

import hypothesis
import pytest

# Timings vary between machines; the examples must not.
hypothesis.settings.register_profile("repo", derandomize=True, deadline=None)
hypothesis.settings.load_profile("repo")

# Whoever runs the tests may have a cache or overrides of their own: the packaged data is what is tested.
os.environ["CAPACITY_CACHE_DIR"] = os.path.join(os.path.dirname(__file__), "no-cache-here")
os.environ.pop("CAPACITY_OVERRIDES", None)
# Ages of the data count from one day, whenever the tests run.
os.environ["SOURCE_DATE_EPOCH"] = "1795996800"  # 2026-11-30
# pytest loads readline, which sets COLUMNS behind Python's back: a piped answer has no width.
os.environ.pop("COLUMNS", None)
os.unsetenv("COLUMNS")


class NetworkUsed(AssertionError):
    """A test reached for a host other than this machine."""


def _is_loopback(host: object) -> bool:
    if host in (None, "", b"", "localhost", b"localhost"):
        return True
    try:
        return ipaddress.ip_address(host.decode() if isinstance(host, bytes) else str(host)).is_loopback
    except ValueError:
        return False  # a name: asking a resolver is already network


_network_is_off = False


def _refuse(event: str, args: tuple[Any, ...]) -> None:
    if not _network_is_off:
        return
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = args[1]
        host = address[0] if isinstance(address, tuple) and address else None  # AF_UNIX paths are strings
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = args[0]
    else:
        return
    if not _is_loopback(host):
        raise NetworkUsed(f"{event} {host!r}: tests run with the network off")


# An audit hook also sees what C extensions do through the socket module; it cannot be removed, so a flag turns it on.
sys.addaudithook(_refuse)


@pytest.fixture(autouse=True, scope="session")
def _network_off() -> Any:
    global _network_is_off
    _network_is_off = True
    yield
    _network_is_off = False
