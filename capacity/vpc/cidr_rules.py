"""Checks which IPv4 blocks can be added to a VPC."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from ipaddress import IPv4Network
from typing import NamedTuple

from capacity.catalog.packaged import data_dir, read_rows
from capacity.plan.fields import SHARED

LARGEST, SMALLEST = 16, 28  # awsdocs/amazon-vpc-user-guide@06e98d9 vpc-cidr-blocks.md "To add a CIDR block"
BLOCKS_BY_DEFAULT, MOST_BLOCKS = 5, 50  # the primary counts; amazon-vpc-limits.md L14


class Rule(NamedTuple):
    """One row of ``data/vpc_cidr_rules.csv``."""

    primary: str
    refused: IPv4Network
    only_if: IPv4Network | None
    reason: str
    source: str


class Addable(NamedTuple):
    """Whether a block can be added to a VPC.

    Attributes
    ----------
    verdict : str
        ``yes``, ``quota`` (yes, after an increase of the quota) or ``no``.
    reason, source : str
    """

    verdict: str
    reason: str
    source: str


@cache
def cidr_rules() -> tuple[Rule, ...]:
    """All rules."""
    rows = read_rows(data_dir() / "vpc_cidr_rules.csv", "primary", "refused", "only_if", "reason", "source")
    return tuple(
        Rule(
            row["primary"],
            IPv4Network(row["refused"]),
            IPv4Network(row["only_if"]) if row["only_if"] else None,
            row["reason"],
            row["source"],
        )
        for row in rows
    )


def range_of(cidr: IPv4Network) -> str:
    """The range of the rules that contains a primary block; ``other`` for public blocks and 100.64.0.0/10."""
    named = dict.fromkeys(r.primary for r in cidr_rules() if r.primary not in ("any", "other"))
    return next((name for name in named if cidr.subnet_of(IPv4Network(name))), "other")


def addable(
    cidr: IPv4Network,
    vpc_cidrs: Sequence[IPv4Network],
    peers: Sequence[IPv4Network] = (),
    routes: Sequence[IPv4Network] = (),
) -> Addable:
    """Whether a block can be associated with a VPC.

    Parameters
    ----------
    vpc_cidrs : sequence of IPv4Network
        The VPC's blocks, the primary first.
    peers, routes : sequence of IPv4Network
        Blocks of peered VPCs, and destinations in the VPC's route tables, if known.

    Source
    ------
    awsdocs/amazon-vpc-user-guide@06e98d9 vpc-cidr-blocks.md (June 2023).

    Examples
    --------
    >>> vpc = [IPv4Network("10.0.0.0/16")]
    >>> addable(IPv4Network("100.64.0.0/16"), vpc).verdict
    'yes'
    >>> addable(IPv4Network("198.19.0.0/16"), vpc).reason
    'AWS services use 198.19.0.0/16 in VPCs with RFC 1918 blocks'
    """
    page = "awsdocs/amazon-vpc-user-guide@06e98d9 vpc-cidr-blocks.md"
    if not LARGEST <= cidr.prefixlen <= SMALLEST:
        return Addable("no", f"a VPC's block is /{LARGEST} to /{SMALLEST}", page)
    for what, blocks in (("a block of the VPC", vpc_cidrs), ("a peered VPC's block", peers)):
        for block in blocks:
            if cidr.overlaps(block):
                return Addable("no", f"overlaps {block}, {what}", page)
    primary = range_of(vpc_cidrs[0]) if vpc_cidrs else "other"
    for rule in cidr_rules():
        applies = rule.primary in ("any", primary) and cidr.overlaps(rule.refused)
        if applies and (rule.only_if is None or any(b.overlaps(rule.only_if) for b in vpc_cidrs)):
            return Addable("no", rule.reason, rule.source)
    for route in routes:
        if route.subnet_of(cidr):
            return Addable("no", f"is the same as or larger than the route to {route}", page)
    count = len(vpc_cidrs) + 1
    quota = "awsdocs/amazon-vpc-user-guide@06e98d9 amazon-vpc-limits.md L14"
    if count > MOST_BLOCKS:
        return Addable("no", f"a VPC has at most {MOST_BLOCKS} blocks", quota)
    if count > BLOCKS_BY_DEFAULT:
        raised = f"block {count} of the VPC: {BLOCKS_BY_DEFAULT} by default, up to {MOST_BLOCKS} with a raised quota"
        return Addable("quota", raised, quota)
    return Addable("yes", f"block {count} of {BLOCKS_BY_DEFAULT} that a VPC has by default", page)


def proposals(
    vpc_cidrs: Sequence[IPv4Network], prefixlen: int = LARGEST, peers: Sequence[IPv4Network] = ()
) -> Iterator[IPv4Network]:
    """Blocks of 100.64.0.0/10 that can be added to a VPC, lowest first.

    >>> str(next(proposals([IPv4Network("10.0.0.0/16"), IPv4Network("100.64.0.0/16")])))
    '100.65.0.0/16'
    """
    for piece in SHARED.subnets(new_prefix=prefixlen):
        if addable(piece, vpc_cidrs, peers).verdict != "no":
            yield piece
