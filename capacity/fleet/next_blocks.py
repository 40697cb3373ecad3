"""Blocks of several VPCs: which overlap, and where the next one can come from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Network
from typing import Any

from capacity.vpc.cidr_rules import addable
from capacity.vpc.layout import first_free

NEXT = 20  # prefix length of the next block: 4,091 usable addresses as one subnet
MOST_TRIES = 256  # blocks of the address space that AWS can refuse before the search ends


def overlapping(
    ours: Iterable[IPv4Network], theirs: Iterable[IPv4Network]
) -> Iterator[tuple[IPv4Network, IPv4Network]]:
    """Pairs of blocks that overlap.

    >>> a, b = IPv4Network("10.0.0.0/16"), IPv4Network("10.0.128.0/20")
    >>> list(overlapping([a], [b])) == [(a, b)]
    True
    """
    known = list(theirs)
    return ((one, other) for one in ours for other in known if one.overlaps(other))


def next_block(
    cidrs: Sequence[IPv4Network],
    subnets: Iterable[IPv4Network],
    peers: Sequence[IPv4Network],
    everywhere: Sequence[IPv4Network],
    space: Sequence[IPv4Network],
) -> dict[str, Any] | None:
    """The next /20 of a VPC: free space of its blocks, otherwise a block that can be associated with it.

    Parameters
    ----------
    cidrs, subnets : sequence of IPv4Network
        The VPC's blocks, the primary first, and the subnets in them.
    peers, everywhere : sequence of IPv4Network
        Blocks of peered VPCs, and of all VPCs of the fleet, which a new block does not overlap.
    space : sequence of IPv4Network
        Where new blocks can come from.

    Returns
    -------
    dict or None
        ``cidr``, and ``source``: ``free`` (in the VPC) or ``new`` (to be associated); None if there is none.

    Examples
    --------
    >>> vpc = [IPv4Network("10.0.0.0/16")]
    >>> next_block(vpc, [IPv4Network("10.0.0.0/17")], [], vpc, [IPv4Network("10.0.0.0/8")])
    {'cidr': '10.0.128.0/20', 'source': 'free'}
    >>> next_block(vpc, vpc, [], vpc, [IPv4Network("10.0.0.0/8")])
    {'cidr': '10.1.0.0/20', 'source': 'new'}
    """
    free = first_free(NEXT, cidrs, subnets)
    if free is not None:
        return {"cidr": str(free), "source": "free"}
    busy = list(everywhere)
    for _ in range(MOST_TRIES):
        piece = first_free(NEXT, space, busy)
        if piece is None:
            return None
        if addable(piece, cidrs, peers).verdict != "no":
            return {"cidr": str(piece), "source": "new"}
        busy.append(piece)
    return None
