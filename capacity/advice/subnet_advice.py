"""Advice about the free /28 blocks of a subnet, in lines with the numbers."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from fractions import Fraction
from ipaddress import IPv4Network

from capacity.plan.constants import PREFIX_SIZE
from capacity.vpc.drain import Drain
from capacity.vpc.fill import SubnetFill, Wanted

MOSTLY_SPOILT = Fraction(1, 2)
FEW_STEPS = 3  # of nodes to replace, if the number of needed blocks is not given


def advice(fill: SubnetFill, wanted: Wanted | None, likely: Fraction) -> tuple[str, ...]:
    """Advice for one subnet; empty if there is none.

    Source: aws/aws-eks-best-practices@dc0243a networking/prefix-mode_linux.adoc L53-55, L75-85.
    """
    found = fill.fragments
    lines = []
    if found.free < 0:
        return (f"{-found.free:,} addresses short: no /28 block is free",)
    if found.exact and not found.free_blocks and found.free >= PREFIX_SIZE:
        lines.append(
            f"{found.free:,} addresses are free, but no /28 block: EC2 returns InsufficientCidrBlocks for every "
            "prefix; use a separate subnet for prefixes, or replace nodes until blocks become free and reserve them"
        )
    elif found.score is not None and found.score >= MOSTLY_SPOILT:
        lines.append(
            f"scattered addresses break up {percent(found.score)} of the /28 blocks that {found.free:,} free addresses "
            "could form: for prefixes, use a separate subnet or a CIDR reservation"
        )
    spoilt = bool(lines)
    if wanted is not None:
        lines += _wanted(fill, wanted)
    elif not lines and not found.exact and found.likely(likely) < found.most:
        lines.append(
            f"with {percent(likely)} probability, {found.likely(likely):,} blocks are free; "
            "an ENI list gives the exact number (capacity subnets --from)"
        )
    lack = wanted.blocks - (found.free_blocks or 0) if wanted else 0
    if fill.drains and (lack > 0 or (spoilt and wanted is None)):
        lines.append(_replacing(fill.drains, lack))
    return tuple(lines)


def _replacing(steps: Sequence[Drain], lack: int) -> str:
    """Nodes to replace until the needed blocks are free, or the first few of them."""
    taken: list[Drain] = []
    for step in steps:
        if sum(s.blocks for s in taken) >= lack > 0 or (not lack and len(taken) == FEW_STEPS):
            break
        taken.append(step)
    words = ", then ".join(f"{' and '.join(s.nodes)} ({s.blocks:,} free)" for s in taken)
    blocks = sum(s.blocks for s in taken)
    short = f"; {lack - blocks:,} still missing" if blocks < lack else ""
    what = "a /28 block" if blocks == 1 else f"{blocks:,} /28 blocks"
    return f"replacing nodes frees {what}: {words}{short}; reserve them before new addresses are assigned"


def _wanted(fill: SubnetFill, wanted: Wanted) -> list[str]:
    found = fill.fragments
    chance = f"room for {wanted.blocks:,} prefix{'es' if wanted.blocks > 1 else ''}"
    if wanted.probability == 1:
        lines = [f"{chance}: yes" + ("" if found.exact else ", wherever the addresses are")]
    elif wanted.probability == 0:
        most = found.free_blocks if found.exact else found.most
        return [f"{chance}: no, {'only' if found.exact else 'at most'} {most:,} blocks are free; use a larger subnet"]
    else:
        lines = [f"{chance}: with {percent(wanted.probability)} probability"]
    reservation = wanted.reservation
    if not reservation.pieces:
        if not found.exact:
            lines.append("counts alone do not show which blocks to reserve: an ENI list does")
        return lines
    lines.append(f"keep them with: {reservation_command(fill.name, reservation.pieces)}")
    if reservation.single is not None and (reservation.single,) != reservation.pieces:
        lines.append(f"or with the single CIDR {reservation.single}, which covers more than needed")
    return lines


def reservation_command(subnet: str, cidrs: tuple[IPv4Network, ...]) -> str:
    """AWS CLI commands that reserve CIDRs, in one line."""
    ident = subnet if subnet.startswith("subnet-") else f"<id of {subnet}>"
    start = f"aws ec2 create-subnet-cidr-reservation --subnet-id {shlex.quote(ident)} --reservation-type prefix --cidr"
    return " && ".join(f"{start} {cidr}" for cidr in cidrs)


def percent(share: Fraction) -> str:
    """A share as text; a share other than 0 or 1 is never shown as 0% or 100%.

    >>> percent(Fraction(1, 3)), percent(Fraction(1)), percent(Fraction(9999999, 10000000))
    ('33.3%', '100%', 'more than 99.9%')
    """
    if share in (0, 1):
        return f"{100 * int(share)}%"
    if share > Fraction(999, 1000):
        return "more than 99.9%"
    if share < Fraction(1, 1000):
        return "less than 0.1%"
    return f"{float(100 * share):.1f}%".replace(".0%", "%")
