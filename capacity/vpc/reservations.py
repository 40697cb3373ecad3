"""Finds the subnet CIDR reservation that guarantees room for a number of /28 prefixes.

A reservation of type prefix is an aligned CIDR inside the subnet of any power of two. A subnet can have several, and
they can cover addresses in use. EC2 then assigns no single address from it, so a block that is free now stays free for
a prefix.

Source: awsdocs/amazon-vpc-user-guide subnet-cidr-reservation.md L3-14.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from itertools import accumulate

from capacity.plan.constants import PREFIX_SIZE
from capacity.plan.model import Subnet
from capacity.vpc.blocks import room_of
from capacity.vpc.fragments import EXPLICIT, FREE, FREE_RESERVED, UNKNOWN, Fragments, fragments_of_list


@dataclass(frozen=True, slots=True)
class ReservationAdvice:
    """The reservations that guarantee room for ``blocks`` prefixes.

    Attributes
    ----------
    single : IPv4Network or None
        The smallest single CIDR with enough free blocks; None if there is none. Never the whole subnet, because no
        interface could then get a primary address.
    pieces : tuple of IPv4Network
        CIDRs of free blocks only, exactly ``blocks`` in total; empty if there are not enough.
    """

    blocks: int
    single: IPv4Network | None
    pieces: tuple[IPv4Network, ...]


def reservation_for(fragments: Fragments, blocks: int) -> ReservationAdvice:
    """The smallest reservation that guarantees room for ``blocks`` additional prefixes.

    Notes
    -----
    If the addresses are known, the free blocks come from the map. If only counts are known, each single address can be
    in a different block of the reservation, so it must contain as many more blocks.

    Examples
    --------
    An empty /24: its first and last block contain AWS's addresses, so no single /25 has eight free blocks, but two
    neighbouring /26s do; either half has seven.

    >>> from capacity.vpc.fragments import fragments_of_list
    >>> empty = fragments_of_list(Subnet("a", "z", IPv4Network("10.0.0.0/24")), [])
    >>> reservation_for(empty, 8).single, [str(p) for p in reservation_for(empty, 8).pieces]
    (None, ['10.0.0.64/26', '10.0.0.128/26'])
    >>> str(reservation_for(empty, 7).single)
    '10.0.0.0/25'
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


def reservation_choices(subnet: Subnet, prefixes: int) -> list[tuple[IPv4Network, ...]]:
    """Reservations that give an empty subnet room for a total number of prefixes, simplest first.

    Existing reservations are kept and count; new ones are then created only next to them.

    Examples
    --------
    >>> from capacity.plan.model import Reservation
    >>> held = Reservation(IPv4Network("10.0.0.128/26"), "prefix")
    >>> kept = Subnet("a", "z", IPv4Network("10.0.0.0/24"), reservations=(held,))
    >>> [[str(c) for c in choice] for choice in reservation_choices(kept, 8)]
    [['10.0.0.64/26']]
    """
    missing = prefixes - room_of(subnet).reserved_blocks
    if missing <= 0:
        return []
    empty = fragments_of_list(subnet, ())
    # The parser and EC2 refuse reservations that overlap: reserved blocks are not free for another one.
    advice = reservation_for(empty._replace(letters=empty.letters.replace(FREE_RESERVED, EXPLICIT)), missing)
    singles = [(advice.single,)] if advice.single and not subnet.reservations else []
    return [*singles, *([advice.pieces] if advice.pieces else [])]


def _cidr(subnet: Subnet, first: int, blocks: int) -> IPv4Network:
    """``blocks`` /28s from the ``first`` on."""
    return IPv4Network((int(subnet.cidr.network_address) + PREFIX_SIZE * first, 29 - blocks.bit_length()))


def _smallest(subnet: Subnet, free: Sequence[bool], wanted: int) -> IPv4Network | None:
    """The smallest aligned CIDR with enough free blocks; among equals the one with the most, then the lowest."""
    before = [0, *accumulate(map(int, free))]
    size = 1 << (wanted - 1).bit_length()
    while size < len(free):
        inside = {first: before[first + size] - before[first] for first in range(0, len(free), size)}
        best = max(inside, key=lambda first: (inside[first], -first))
        if inside[best] >= wanted:
            return _cidr(subnet, best, size)
        size *= 2
    return None


def _pieces(subnet: Subnet, free: Sequence[bool], wanted: int) -> tuple[IPv4Network, ...]:
    """The fewest CIDRs with exactly the given number of blocks, all free: the largest that fit first."""
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
