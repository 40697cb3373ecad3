"""Which subnet CIDR reservation makes sure that so many /28 prefixes find room.

A reservation of type prefix is a CIDR of its own inside the subnet: aligned, any power of two, several per
subnet, and it may cover addresses in use. EC2 gives no single address out of it from then on, so a block
that is free now stays free for a prefix.

Source: awsdocs/amazon-vpc-user-guide subnet-cidr-reservation.md L3-14.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from itertools import accumulate

from capacity.spec.plan import Subnet
from capacity.vpc.blocks import BLOCK
from capacity.vpc.fragments import FREE, FREE_RESERVED, UNKNOWN, Fragments


@dataclass(frozen=True, slots=True)
class ReservationAdvice:
    """What to reserve so that ``blocks`` prefixes are certain to find room.

    Attributes
    ----------
    single : IPv4Network or None
        The smallest one CIDR that holds so many free blocks; None where none does.
    pieces : tuple of IPv4Network
        CIDRs of free blocks only, in sum exactly so many; empty where none does.
    """

    blocks: int
    single: IPv4Network | None
    pieces: tuple[IPv4Network, ...]


def reservation_for(fragments: Fragments, blocks: int) -> ReservationAdvice:
    """The smallest reservation that makes ``blocks`` further prefixes certain.

    Notes
    -----
    With the addresses known, the free blocks are those of the map. From counts alone each of the single
    addresses may lie in another block, wherever the reservation is made: it must hold as many blocks more.

    Examples
    --------
    A /24 with nothing in it: its first and last block hold AWS's addresses, so eight free blocks lie in no
    single /25, but in two neighbouring /26s.

    >>> from capacity.vpc.fragments import fragments_of_list
    >>> advice = reservation_for(fragments_of_list(Subnet("a", "z", IPv4Network("10.0.0.0/24")), []), 8)
    >>> str(advice.single), [str(p) for p in advice.pieces]
    ('10.0.0.0/24', ['10.0.0.64/26', '10.0.0.128/26'])
    """
    if fragments.exact:
        free = [letter in (FREE, FREE_RESERVED) for letter in fragments.letters]
        wanted = blocks
    else:
        free = [letter in (UNKNOWN, FREE_RESERVED) for letter in fragments.letters]
        wanted = blocks + fragments.singles
    if blocks <= 0 or sum(free) < wanted:
        return ReservationAdvice(blocks, None, ())
    return ReservationAdvice(blocks, _smallest(fragments.subnet, free, wanted), _pieces(fragments.subnet, free, wanted))


def _cidr(subnet: Subnet, first: int, blocks: int) -> IPv4Network:
    """``blocks`` /28s from the ``first`` on."""
    return IPv4Network((int(subnet.cidr.network_address) + BLOCK * first, 29 - blocks.bit_length()))


def _smallest(subnet: Subnet, free: Sequence[bool], wanted: int) -> IPv4Network | None:
    """The smallest aligned CIDR with so many free blocks; among equals the one with most of them, then the lowest."""
    before = [0, *accumulate(map(int, free))]
    size = 1 << (wanted - 1).bit_length()
    while size <= len(free):
        inside = {first: before[first + size] - before[first] for first in range(0, len(free), size)}
        best = max(inside, key=lambda first: (inside[first], -first))
        if inside[best] >= wanted:
            return _cidr(subnet, best, size)
        size *= 2
    return None


def _pieces(subnet: Subnet, free: Sequence[bool], wanted: int) -> tuple[IPv4Network, ...]:
    """The fewest CIDRs that hold exactly so many blocks, all of them free: the largest that fit first."""
    open_blocks = list(free)
    found: list[tuple[int, int]] = []
    size = 1 << (wanted.bit_length() - 1)
    left = wanted
    while left:
        for first in range(0, len(free), size):
            if size <= left and all(open_blocks[first : first + size]):
                open_blocks[first : first + size] = [False] * size
                found.append((first, size))
                left -= size
        size //= 2
    return tuple(_cidr(subnet, *piece) for piece in sorted(found))
