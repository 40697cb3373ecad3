"""Computes the state of each /28 block of a subnet, packed as well as possible."""

from __future__ import annotations

from dataclasses import dataclass

from capacity.errors import check_kind
from capacity.plan.constants import PREFIX_SIZE
from capacity.plan.model import RESERVED_BY_AWS, Subnet
from capacity.units import ceil_div
from capacity.vpc.ledger import SubnetState


@dataclass(frozen=True, slots=True)
class BlockMap:
    """State of every /28 of a subnet, in address order.

    Attributes
    ----------
    states : tuple of str
        ``aws`` (contains addresses that AWS reserves), ``prefix``, ``single`` (single addresses), ``reserved``
        (free, in a reservation of type prefix), ``explicit`` (in one of type explicit) or ``free``.
    rule : str
        How the blocks were filled, in words.
    """

    subnet: Subnet
    states: tuple[str, ...]
    rule: str


def packed_blocks(state: SubnetState) -> BlockMap:
    """The blocks of a subnet with its addresses packed optimally: prefixes in reservations first, single addresses
    together.

    Notes
    -----
    A plan has the number of used addresses, not their positions: this is the least fragmentation, the bound that
    :func:`capacity.vpc.blocks.prefixes_fit` uses. Single addresses start in the first block, after the four that AWS
    reserves, and use the rest of the last block when all others are full.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from ipaddress import IPv4Network
    >>> from capacity.vpc.ledger import Booking, settle
    >>> booking = Booking(Subnet("a", "z", IPv4Network("10.0.0.0/25")))
    >>> booking.book("other", 20, "taken")
    >>> packed_blocks(settle(booking, Fraction(0), prefix_mode=False)).states
    ('aws', 'single', 'free', 'free', 'free', 'free', 'free', 'aws')
    """
    check_kind("state", state, SubnetState, "a subnet of a scenario: result['peak'].subnet('a')")
    subnet = state.subnet
    base = int(subnet.cidr.network_address)
    states = ["free"] * ceil_div(subnet.total, PREFIX_SIZE)
    for reservation in subnet.reservations:
        kind = "reserved" if reservation.type == "prefix" else "explicit"
        low, high = int(reservation.cidr.network_address) - base, int(reservation.cidr.broadcast_address) - base
        for block in range(low // PREFIX_SIZE, high // PREFIX_SIZE + 1):
            states[block] = "explicit" if "explicit" in (kind, states[block]) else kind
    for block in (0, len(states) - 1):
        states[block] = "aws"
    prefixes = state.prefixes
    for wanted in ("reserved", "free"):
        for block in reversed(range(len(states))):
            if prefixes and states[block] == wanted:
                states[block] = "prefix"
                prefixes -= 1
    singles = sum(state.used.values()) - PREFIX_SIZE * state.prefixes
    spare = (
        (PREFIX_SIZE - RESERVED_BY_AWS + 1) + (PREFIX_SIZE - 1) if len(states) > 1 else PREFIX_SIZE - RESERVED_BY_AWS
    )
    singles -= min(singles, spare - (PREFIX_SIZE - 1 if len(states) > 1 else 0))
    for block, what in enumerate(states):
        if singles > 0 and what == "free":
            states[block] = "single"
            singles -= PREFIX_SIZE
    return BlockMap(
        subnet, tuple(states), "packed as well as possible: a plan does not contain the positions of used addresses"
    )
