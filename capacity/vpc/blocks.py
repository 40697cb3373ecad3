"""Counts aligned /28 blocks of a subnet from its CIDR and its reservations."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Network
from typing import NamedTuple

from capacity.plan.constants import PREFIX_SIZE
from capacity.plan.model import RESERVED_BY_AWS, Reservation, Subnet
from capacity.units import IntLike, larger


class Room(NamedTuple):
    """The parts of an empty subnet by what can use them.

    Attributes
    ----------
    explicit : int
        Usable addresses inside reservations of type explicit: not usable here. [addresses]
    reserved_prefix : int
        Usable addresses inside reservations of type prefix: usable only for prefixes. [addresses]
    reserved_blocks : int
        Whole /28 blocks among them. [blocks]
    open_addresses : int
        The rest, usable for single addresses and prefixes. [addresses]
    open_blocks : int
        Whole /28 blocks among the rest. [blocks]
    """

    explicit: int
    reserved_prefix: int
    reserved_blocks: int
    open_addresses: int
    open_blocks: int


def room_of(subnet: Subnet) -> Room:
    """The usable addresses of a subnet, divided into reservations and the open rest.

    AWS reserves the first four addresses and the last one of the subnet. Prefixes therefore cannot use the first and
    the last /28, but single addresses can.

    Source
    ------
    awsdocs/amazon-vpc-user-guide subnet-sizing.md L9, subnet-cidr-reservation.md L3-14.
    """
    return _room(subnet.cidr, subnet.reservations)


# Kept by block, not by subnet: many plans of a fleet have the same block.
@lru_cache(maxsize=4096)
def _room(cidr: IPv4Network, reservations: tuple[Reservation, ...]) -> Room:
    first, last = int(cidr.network_address), int(cidr.broadcast_address)
    explicit = prefix = prefix_blocks = 0
    spoilt: set[int] = {first // PREFIX_SIZE, last // PREFIX_SIZE}
    reserved_blocks: set[int] = set()
    for reservation in reservations:
        low, high = int(reservation.cidr.network_address), int(reservation.cidr.broadcast_address)
        addresses = _usable_between(low, high, cidr)
        touched = set(range(low // PREFIX_SIZE, high // PREFIX_SIZE + 1))
        if reservation.type == "prefix":
            prefix += addresses
            prefix_blocks += len(touched - spoilt)
        else:
            explicit += addresses
        reserved_blocks |= touched
    total = last - first + 1
    return Room(
        explicit=explicit,
        reserved_prefix=prefix,
        reserved_blocks=prefix_blocks,
        open_addresses=total - RESERVED_BY_AWS - explicit - prefix,
        open_blocks=max(total // PREFIX_SIZE - len(spoilt | reserved_blocks), 0),
    )


def kept_by_aws(cidr: IPv4Network) -> tuple[int, ...]:
    """The addresses that AWS reserves: the first four and the last.

    Source
    ------
    awsdocs/amazon-vpc-user-guide subnet-sizing.md L9.
    """
    first = int(cidr.network_address)
    return (*range(first, first + RESERVED_BY_AWS - 1), int(cidr.broadcast_address))


def _usable_between(low: int, high: int, cidr: IPv4Network) -> int:
    """Addresses of a range without the five that AWS reserves."""
    return high - low + 1 - sum(low <= a <= high for a in kept_by_aws(cidr))


def prefixes_fit(subnet: Subnet, prefixes: IntLike, singles: IntLike) -> IntLike:
    """Whether a number of prefixes and single addresses fit together if placed as well as possible.

    Prefixes fill the reservations of type prefix first; single addresses fill partial blocks first.
    A bool for two ints, an array of bools for arrays.

    >>> from ipaddress import IPv4Network
    >>> subnet = Subnet("a", "z", IPv4Network("10.0.0.0/24"))
    >>> prefixes_fit(subnet, 14, 27), prefixes_fit(subnet, 15, 0), prefixes_fit(subnet, 14, 28)
    (True, False, False)
    """
    room = room_of(subnet)
    outside = larger(prefixes - room.reserved_blocks, 0)
    return (outside <= room.open_blocks) & (singles <= room.open_addresses - PREFIX_SIZE * outside)


def most_free_prefixes(subnet: Subnet, free: int) -> int:
    """Upper bound of free /28 blocks if only the count of free addresses is known. [blocks]

    Notes
    -----
    min(2^(28 - n) - 2, floor(free / 16)), never below 0: scattered single addresses can leave fewer.

    >>> from ipaddress import IPv4Network
    >>> most_free_prefixes(Subnet("a", "z", IPv4Network("10.0.0.0/24")), 251)
    14
    """
    return max(min(subnet.total // PREFIX_SIZE - 2, free // PREFIX_SIZE), 0)
