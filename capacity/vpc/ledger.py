"""The ledger of a subnet: its addresses by holder. Only this module counts addresses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple, Protocol

from capacity.plan.constants import PREFIX_SIZE
from capacity.plan.model import Subnet
from capacity.vpc.blocks import most_free_prefixes, prefixes_fit, room_of

HOLDERS = (
    "node_primary",
    "eni_primary",
    "assigned",
    "warm",
    "branch",
    "control_plane",
    "load_balancers",
    "endpoints",
    "other",
)
# Groups of holders in tables and bars, in order; together they are the used addresses. A branch ENI is an ENI and a
# pod: it has one address, the pod's, and is counted with the pods.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "enis": ("node_primary", "eni_primary"),
    "pods": ("assigned", "branch"),
    "warm": ("warm",),
    "others": ("control_plane", "load_balancers", "endpoints", "other"),
}
VERDICTS = ("ok", "tight", "exhausted")


def worst(verdicts: list[str]) -> str:
    """The worst of several verdicts; ``ok`` if there are none."""
    return max(verdicts, key=VERDICTS.index, default="ok")


class Booking:
    """Addresses of one subnet by holder while a scenario is being counted.

    ``prefixes`` counts the /28s among ``assigned`` and ``warm``; ``lowest`` and ``highest`` are the bounds of entries
    that have bounds; ``entries`` keeps each line for :mod:`capacity.cluster.figure_terms`.
    """

    __slots__ = ("entries", "highest", "lowest", "prefixes", "subnet", "used")

    def __init__(self, subnet: Subnet) -> None:
        self.subnet = subnet
        self.used = dict.fromkeys(HOLDERS, 0)
        self.prefixes = 0
        self.lowest = 0
        self.highest = 0
        self.entries: list[tuple[str, int, object]] = []

    def book(self, holder: str, addresses: int, why: object, bounds: tuple[int, int] | None = None) -> None:
        """Add addresses under a holder; ``bounds`` if the count is uncertain, ``why`` is formatted on demand."""
        self.used[holder] += addresses
        low, high = bounds if bounds is not None else (addresses, addresses)
        self.lowest += low
        self.highest += high
        if addresses or high:
            self.entries.append((holder, addresses, why))

    def join(self, other: Booking) -> None:
        """Add all entries of another booking."""
        for holder, addresses in other.used.items():
            if addresses:
                self.used[holder] += addresses
        self.prefixes += other.prefixes
        self.lowest += other.lowest
        self.highest += other.highest
        self.entries += other.entries

    @property
    def free(self) -> int:
        """Free addresses; negative is a shortfall. [addresses]"""
        return self.subnet.usable - sum(self.used.values())


class Bounds(Protocol):
    """Fewest and most addresses of a subnet over all placements of the pods and remaining nodes."""

    @property
    def lowest(self) -> int:
        """[addresses]"""

    @property
    def highest(self) -> int:
        """[addresses]"""

    @property
    def roaming(self) -> tuple[int, int]:
        """The part of both bounds that subnet discovery places. [addresses]"""


class Known(NamedTuple):
    """Bounds that are already computed."""

    lowest: int
    highest: int
    roaming: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True, repr=False)
class SubnetState:
    """One subnet in one scenario.

    Attributes
    ----------
    used : dict of str to int
        Addresses by holder; their sum and ``free`` make ``usable``. [addresses]
    free : int
        Free addresses; negative if demand exceeds the subnet. [addresses]
    free_reserved : int
        The part of ``free`` inside CIDR reservations. [addresses]
    free_prefixes : int or None
        Upper bound of free /28s; None outside prefix mode. [blocks]
    bounds : Bounds
        Bounds of the used addresses, computed on demand because they are expensive.
    prefixes : int
        /28s in use. [prefixes]
    prefixes_placed : bool
        Whether they and the single addresses fit together.
    verdict : str
        ``ok``, ``tight`` or ``exhausted``.
    """

    subnet: Subnet
    used: dict[str, int]
    free: int
    free_reserved: int
    free_prefixes: int | None
    prefixes: int
    prefixes_placed: bool
    verdict: str
    entries: tuple[tuple[str, int, object], ...]
    bounds: Bounds = field(repr=False, compare=False)

    def __repr__(self) -> str:
        return f"<SubnetState {self.subnet.name}: {self.verdict}, {self.free:,} of {self.subnet.usable:,} free>"

    @property
    def used_lowest(self) -> int:
        """Fewest addresses used, over all placements of the pods and remaining nodes. [addresses]"""
        return self.bounds.lowest

    @property
    def used_highest(self) -> int:
        """Most addresses used, over all placements of the pods and remaining nodes. [addresses]"""
        return self.bounds.highest

    @property
    def roaming(self) -> tuple[int, int]:
        """The part of both bounds that subnet discovery places. [addresses]"""
        return self.bounds.roaming

    @property
    def used_total(self) -> int:
        """Addresses used by all holders. [addresses]"""
        return self.subnet.usable - self.free

    @property
    def grouped(self) -> dict[str, int]:
        """``used`` by :data:`GROUPS`. [addresses]"""
        return {group: sum(self.used[holder] for holder in holders) for group, holders in GROUPS.items()}

    @property
    def free_open(self) -> int:
        """Free addresses that this cluster's nodes can use. [addresses]"""
        closed = room_of(self.subnet).explicit if self.free_prefixes is not None else self.free_reserved
        return self.free - closed


def keeps_less(free: int, usable: int, min_free: Fraction) -> bool:
    """Whether less than a share of the usable addresses stays free, compared as exact fractions."""
    return free * min_free.denominator < min_free.numerator * usable


def settle(
    booking: Booking,
    min_free: Fraction,
    *,
    prefix_mode: bool,
    bounds_decide: bool = True,
    bounds: Bounds | None = None,
) -> SubnetState:
    """The subnet's state from a booking: free addresses and the verdict.

    ``bounds``: of all addresses; without it, the bounds of the booking.

    Notes
    -----
    exhausted: free < 0, or single addresses exceed the space outside reservations, or the prefixes
    cannot be placed. tight: free / usable < min_free as exact fractions (equal is ok), or, in steady
    and peak, the upper bound exceeds the subnet: in other scenarios that is only a finding.
    """
    subnet = booking.subnet
    bounds = bounds or Known(booking.lowest, booking.highest)
    room = room_of(subnet)
    free, usable = booking.free, subnet.usable
    singles = usable - free - PREFIX_SIZE * booking.prefixes
    in_reservation = min(booking.prefixes, room.reserved_blocks)
    reserved = room.explicit + room.reserved_prefix - PREFIX_SIZE * in_reservation
    placed = prefixes_fit(subnet, booking.prefixes, singles)
    if free < 0 or not placed:
        verdict = "exhausted"
    elif keeps_less(free, usable, min_free) or (bounds_decide and bounds.highest > usable):
        verdict = "tight"
    else:
        verdict = "ok"
    return SubnetState(
        subnet=subnet,
        used=booking.used,
        free=free,
        free_reserved=reserved,
        free_prefixes=most_free_prefixes(subnet, free) if prefix_mode else None,
        prefixes=booking.prefixes,
        prefixes_placed=placed,
        verdict=verdict,
        entries=tuple(booking.entries),
        bounds=bounds,
    )
