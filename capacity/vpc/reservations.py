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

from capacity.plan.constants import PREFIX_SIZE
from capacity.plan.model import Subnet
from capacity.vpc.blocks import room_of
from capacity.vpc.fragments import EXPLICIT, FREE, FREE_RESERVED, UNKNOWN, Fragments, fragments_of_list


@dataclass(frozen=True, slots=True)
class ReservationAdvice:
    """What to reserve so that ``blocks`` prefixes are certain to find room.

    Attributes
    ----------
    single : IPv4Network or None
        The smallest one CIDR that holds so many free blocks, short of the whole subnet, where no interface
        could have an address of its own any more; None where none does.
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
    single /25, but in two neighbouring /26s; seven lie in either half.

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
    """Reservations that give a subnet room for so many prefixes in all, nothing being in it; the simplest first.

    What it has reserved already is kept and counts; then only pieces beside it come into question.

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
    # The parser and EC2 refuse reservations that overlap: what is reserved is not free for another one.
    advice = reservation_for(empty._replace(letters=empty.letters.replace(FREE_RESERVED, EXPLICIT)), missing)
    singles = [(advice.single,)] if advice.single and not subnet.reservations else []
    return [*singles, *([advice.pieces] if advice.pieces else [])]


def _cidr(subnet: Subnet, first: int, blocks: int) -> IPv4Network:
    """``blocks`` /28s from the ``first`` on."""
    return IPv4Network((int(subnet.cidr.network_address) + PREFIX_SIZE * first, 29 - blocks.bit_length()))


def _smallest(subnet: Subnet, free: Sequence[bool], wanted: int) -> IPv4Network | None:
    """The smallest aligned CIDR with so many free blocks; among equals the one with most of them, then the lowest."""
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
