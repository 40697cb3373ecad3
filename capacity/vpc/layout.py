"""Allocates new subnets from the free space of a VPC.

Rule: the largest first, each at the lowest free aligned address. A subnet is *growth-ready* when the other half of the
next larger block (its sibling) stays free: a subnet cannot be resized, but a neighbor of equal size can be added
later, and one route or rule of the larger block covers both. As many subnets as possible, the largest first, are
growth-ready; if space is short, the others are not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network


@dataclass(frozen=True, slots=True)
class Layout:
    """The positions of new subnets.

    Attributes
    ----------
    placed : mapping of str to IPv4Network
    growth_ready : frozenset of str
        Names of subnets whose sibling block is free.
    missing : tuple of str
        Names that have no room; nothing is placed then.
    """

    placed: Mapping[str, IPv4Network]
    growth_ready: frozenset[str]
    missing: tuple[str, ...] = ()


def lay_out(
    wanted: Mapping[str, int],
    blocks: Sequence[IPv4Network],
    taken: Iterable[IPv4Network],
    last_first: Sequence[str] = (),
) -> Layout:
    """Place subnets of given prefix lengths.

    Parameters
    ----------
    wanted : mapping of str to int
        Prefix length by name.
    blocks, taken : IPv4Network
        The VPC's blocks, and the used parts of them.
    last_first : sequence of str
        Names that avoid the first block while others have room: pods use the secondary block.

    Examples
    --------
    >>> vpc = [IPv4Network("10.0.0.0/21")]
    >>> {n: str(c) for n, c in lay_out({"a": 24, "b": 23}, vpc, [IPv4Network("10.0.0.0/24")]).placed.items()}
    {'b': '10.0.4.0/23', 'a': '10.0.2.0/24'}
    """
    order = sorted(wanted, key=lambda name: wanted[name])
    held = list(taken)
    backwards, everywhere = list(reversed(blocks)), dict.fromkeys(wanted, blocks)
    blocks_of = everywhere | dict.fromkeys(last_first, backwards)
    apart = everywhere | dict.fromkeys(last_first, backwards[:-1] or backwards)
    for choice in (apart, blocks_of):
        for generous in range(len(order), -1, -1):
            placed = _attempt(order, wanted, choice, held, generous)
            if placed is not None:
                return Layout(placed, _growth_ready(placed, blocks, held))
    return Layout({}, frozenset(), _without_room(order, wanted, blocks_of, held))


def _attempt(
    order: Sequence[str],
    wanted: Mapping[str, int],
    blocks_of: Mapping[str, Sequence[IPv4Network]],
    held: Sequence[IPv4Network],
    generous: int,
) -> dict[str, IPv4Network] | None:
    """All subnets, the first ``generous`` with room to grow; None if one does not fit."""
    busy = list(held)
    placed: dict[str, IPv4Network] = {}
    for i, name in enumerate(order):
        length = wanted[name]
        room = first_free(length - (i < generous), blocks_of[name], busy)
        if room is None:
            return None
        busy.append(room)
        placed[name] = IPv4Network((int(room.network_address), length))
    return placed


def first_free(length: int, blocks: Sequence[IPv4Network], busy: Iterable[IPv4Network]) -> IPv4Network | None:
    """The lowest free aligned block of a prefix length inside the VPC; None if there is none."""
    size = 1 << (32 - length)
    held = sorted((int(b.network_address), int(b.broadcast_address)) for b in busy)
    for block in blocks:
        if block.prefixlen > length:
            continue
        start, end = int(block.network_address), int(block.broadcast_address)
        for low, high in held:
            if low > start + size - 1:
                break
            if high >= start:
                start = -(-(high + 1) // size) * size
        if start + size - 1 <= end:
            return IPv4Network((start, length))
    return None


def _growth_ready(
    placed: Mapping[str, IPv4Network], blocks: Sequence[IPv4Network], held: Sequence[IPv4Network]
) -> frozenset[str]:
    """Names whose sibling is in the VPC and free."""
    busy = [*held, *placed.values()]
    ready = set()
    for name, cidr in placed.items():
        parent = cidr.supernet()
        inside = any(parent.subnet_of(b) for b in blocks)
        if inside and sum(parent.overlaps(b) for b in busy) == 1:
            ready.add(name)
    return frozenset(ready)


def _without_room(
    order: Sequence[str],
    wanted: Mapping[str, int],
    blocks_of: Mapping[str, Sequence[IPv4Network]],
    held: Sequence[IPv4Network],
) -> tuple[str, ...]:
    """Names that do not fit after the larger ones are placed."""
    busy, missing = list(held), []
    for name in order:
        room = first_free(wanted[name], blocks_of[name], busy)
        if room is None:
            missing.append(name)
        else:
            busy.append(room)
    return tuple(missing)


def largest_free(blocks: Sequence[IPv4Network], busy: Sequence[IPv4Network]) -> IPv4Network | None:
    """The largest aligned free block, the lowest of its size."""
    return next((room for length in range(16, 29) if (room := first_free(length, blocks, busy)) is not None), None)
