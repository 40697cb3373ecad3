"""Allocates new subnets in the free space of a VPC, and says what helps if there is not enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network

from capacity.errors import InfeasiblePlan
from capacity.plan.model import Plan
from capacity.units import some_of
from capacity.vpc.cidr_rules import LARGEST, MOST_BLOCKS, proposals
from capacity.vpc.layout import Layout, largest_free, lay_out


def laid_out(
    plan: Plan, wanted: Mapping[str, int], blocks: Sequence[IPv4Network], serves: Mapping[str, str], *, fresh: bool
) -> Layout:
    """Blocks for the new subnets, by name; node subnets first, then those that serve only pods.

    Parameters
    ----------
    wanted : mapping of str to int
        Prefix length of each new subnet.
    blocks : sequence of IPv4Network
        Blocks of the VPC, with those to be added.
    serves : mapping of str to str
        What each subnet is for; with ``fresh`` the space of those that the plan has counts as free.

    Raises
    ------
    InfeasiblePlan
        There is no room; the message says what helps.
    """
    held = [s.cidr for s in plan.subnets if not (fresh and s.name in serves)]
    layout = lay_out(wanted, blocks, held, [n for n in wanted if serves[n] == "pods"])
    if layout.missing:
        raise InfeasiblePlan(_no_room(wanted, blocks, held, layout), layout.missing)
    return layout


def _no_room(
    wanted: Mapping[str, int], blocks: Sequence[IPv4Network], held: Sequence[IPv4Network], layout: Layout
) -> str:
    names = [f"{name} (/{wanted[name]})" for name in layout.missing]
    listed = some_of(names, 4)
    largest = largest_free(blocks, held)
    free = sum(b.num_addresses for b in blocks) - sum(c.num_addresses for c in held)
    asked = sum(1 << (32 - length) for length in wanted.values())
    space = f"{asked:,} addresses are needed in total, {free:,} are free, the largest free block is {largest}"
    if not largest:
        space = f"{asked:,} addresses are needed in total, and not even a /28 is free"
    more = helping_blocks(wanted, blocks, held)
    if not more:
        return f"no room in the VPC for {listed}: {space}, and no block that can be added would help"
    options = " ".join(f"--vpc-cidr {cidr}" for cidr in more[:4]) + (
        f" … ({len(more)} blocks)" if len(more) > 4 else ""
    )
    which = "a secondary block that can be added" if len(more) == 1 else "secondary blocks that can be added"
    return f"no room in the VPC for {listed}: {space}; with {options} ({which}) they fit"


def helping_blocks(
    wanted: Mapping[str, int], blocks: Sequence[IPv4Network], held: Sequence[IPv4Network]
) -> tuple[IPv4Network, ...]:
    """The smallest single block of 100.64.0.0/10 that is enough, otherwise as many /16 as needed; empty if none is."""
    for length in range(min(wanted.values()), LARGEST - 1, -1):
        piece = next(proposals(blocks, length), None)
        if piece is not None and not lay_out(wanted, [*blocks, piece], held).missing:
            return (piece,)
    more: list[IPv4Network] = []
    while len(blocks) + len(more) < MOST_BLOCKS:
        piece = next(proposals([*blocks, *more], LARGEST), None)
        if piece is None:
            return ()
        more.append(piece)
        if not lay_out(wanted, [*blocks, *more], held).missing:
            return tuple(more)
    return ()
