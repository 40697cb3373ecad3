"""New subnets laid into the free space of a VPC.

Rule: the largest first, each at the lowest free address on its own boundary. A subnet is *growth-ready*
when the other half of the next larger block (its sibling) stays free: a subnet cannot be resized, but a
neighbour of the same size can join it later, and one route or rule of the larger block covers both. As
many subnets as possible, the largest first, get that; where the space is short the others do without.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network


@dataclass(frozen=True, slots=True)
class Layout:
    """Where subnets lie.

    Attributes
    ----------
    placed : mapping of str to IPv4Network
    growth_ready : frozenset of str
        Those whose sibling block is free.
    missing : tuple of str
        Names that found no room; then nothing is placed at all.
    """

    placed: Mapping[str, IPv4Network]
    growth_ready: frozenset[str]
    missing: tuple[str, ...] = ()


def lay_out(
    wanted: Mapping[str, int],
    blocks: Sequence[IPv4Network],
    taken: Iterable[IPv4Network],
    last_first: Iterable[str] = (),
) -> Layout:
    """Place subnets of given prefix lengths.

    Parameters
    ----------
    wanted : mapping of str to int
        Prefix length by name.
    blocks, taken : IPv4Network
        The VPC's blocks, and what in them is not free.
    last_first : iterable of str
        Names that take the last block before the first: pods go to the secondary block where there is one.

    Examples
    --------
    >>> vpc = [IPv4Network("10.0.0.0/21")]
    >>> {n: str(c) for n, c in lay_out({"a": 24, "b": 23}, vpc, [IPv4Network("10.0.0.0/24")]).placed.items()}
    {'b': '10.0.4.0/23', 'a': '10.0.2.0/24'}
    """
    order = sorted(wanted, key=lambda name: wanted[name])
    held = list(taken)
    backwards = list(reversed(blocks))
    blocks_of = dict.fromkeys(wanted, blocks) | dict.fromkeys(last_first, backwards)
    for generous in range(len(order), -1, -1):
        placed = _attempt(order, wanted, blocks_of, held, generous)
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
    """All subnets, the first ``generous`` with room to grow; None where one does not fit."""
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
    """The lowest aligned block of that length inside the VPC that overlaps nothing; None where there is none."""
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
    """Names whose sibling lies in the VPC and is free."""
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
    """Those that do not fit when each takes what is left by the larger ones."""
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
