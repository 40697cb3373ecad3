"""Distributes additional ENIs over the subnets that discovery can choose: each goes where the most addresses are free.

The CNI tries the subnets of a node's zone in the order of their free addresses, so each ENI goes to the subnet with the
most free addresses at that time. This module simulates that for all nodes, after everything else is counted; identical
ENIs are counted, not looped over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from capacity.cluster.scenario import GroupState, NodeClass, Roaming
from capacity.cluster.shape import TypeShape
from capacity.units import counted
from capacity.vpc.ledger import Booking

FEW = 12  # number of ENIs up to which placing them one by one is faster than computing their level


def emptiest_first(free: Sequence[int], size: int, count: int) -> list[int]:
    """ENIs that each subnet gets if each of ``count`` goes to the subnet with the most free addresses, ties in order.
    [ENIs]

    Parameters
    ----------
    free : sequence of int
        Free addresses of each subnet; negative if it is already short. [addresses]
    size : int
        Addresses of one ENI. [addresses]

    Notes
    -----
    Subnet i has free, free − size, free − 2 size, … addresses before each ENI it gets: the ENIs use the ``count``
    highest of all these steps. All steps above a level are used together, those at the level in order.

    Source
    ------
    aws/amazon-vpc-cni-k8s@b5218838 awsutils.go L1249 (sorted by AvailableIpAddressCount, stable).

    >>> emptiest_first([100, 70], size=10, count=5)
    [4, 1]
    """

    if count <= FEW:
        return _one_by_one(free, size, count)

    def above(level: int) -> list[int]:
        return [max(-((level - f) // size), 0) for f in free]

    low, high = min(free) - size * (count // len(free) + 1), max(free)
    while low < high:  # the lowest level that the ENIs fully reach
        middle = (low + high) // 2
        low, high = (low, middle) if sum(above(middle)) <= count else (middle + 1, high)
    found = above(low)
    left = count - sum(found)
    for i, f in enumerate(free):
        if left and f >= low and (f - low) % size == 0:
            found[i] += 1
            left -= 1
    return found


def _one_by_one(free: Sequence[int], size: int, count: int) -> list[int]:
    """The distribution, computed by placing one ENI after the other."""
    left, found = list(free), [0] * len(free)
    for _ in range(count):
        emptiest = left.index(max(left))
        left[emptiest] -= size
        found[emptiest] += 1
    return found


def water_level(free: Sequence[int], addresses: int) -> tuple[int, int]:
    """Free addresses left in the subnets with the most free ones after using a number of addresses, rounded down and
    up.

    >>> water_level([100, 70, 10], 50)
    (60, 60)
    """
    # Over the m emptiest subnets the level is (their free − addresses) ÷ m; any other m gives a lower level.
    sums = list(enumerate(accumulate(sorted(free, reverse=True)), 1))
    return max((f - addresses) // m for m, f in sums), max(-((addresses - f) // m) for m, f in sums)


# --- expected ---------------------------------------------------------------------------------


class _FurtherEnis(NamedTuple):
    """The description of an entry of additional ENIs, formatted on demand."""

    enis: int
    group: str
    subnet: str
    pods: int | None = None
    spare: int | None = None

    def __str__(self) -> str:
        what = f"{counted(self.enis, 'additional ENI')} of {self.group} in {self.subnet}, most free addresses first"
        if self.pods is not None:
            return f"{what}: {counted(self.pods, 'pod')} each"
        return what if self.spare is None else f"{what}: {self.spare} spare each"


Kinds = Mapping[tuple[int, int], int]  # ENIs of one node by (slots, pods on them)


def book_further_enis(bookings: Mapping[str, Booking], groups: Sequence[GroupState]) -> None:
    """Count the additional ENIs of every node whose subnet leaves a choice: by group, kind of node, and ENI."""
    for state in groups:
        known: dict[int, Kinds] = {}
        for c in state.classes:
            if c.slot.choices:
                if c.vpc_pods not in known:
                    known[c.vpc_pods] = _kinds_of_eni(state.shape.first, c.vpc_pods)
                _book_enis_of(bookings, state, c, known[c.vpc_pods])


def _book_enis_of(bookings: Mapping[str, Booking], state: GroupState, c: NodeClass, kinds: Kinds) -> None:
    shape, name = state.shape.first, state.shape.group.name
    none = (0, 0)
    here = [bookings[n] for n in c.slot.choices]
    free = [b.free for b in here]
    for (slots, assigned), each in kinds.items():
        warm, size = slots * shape.unit - assigned, 1 + slots * shape.unit
        shares = emptiest_first(free, size, c.count * each)
        for place, (booking, enis) in enumerate(zip(here, shares, strict=True)):
            if not enis:
                continue
            free[place] -= enis * size
            what = (enis, name, c.slot.subnet)
            booking.book("eni_primary", enis, _FurtherEnis(*what), none)
            if assigned:
                booking.book("assigned", enis * assigned, _FurtherEnis(*what, pods=assigned), none)
            if warm:
                booking.book("warm", enis * warm, _FurtherEnis(*what, spare=warm), none)
            booking.prefixes += enis * slots if shape.settings.prefix else 0


def _kinds_of_eni(shape: TypeShape, vpc_pods: int) -> Counter[tuple[int, int]]:
    """Additional ENIs of one node by (slots, pods on them), filled in order of creation. [ENIs]"""
    left = max(vpc_pods - shape.primary_slots(vpc_pods) * shape.unit, 0)
    kinds: Counter[tuple[int, int]] = Counter()
    for slots in shape.further_enis(vpc_pods):
        assigned = min(left, slots * shape.unit)
        kinds[slots, assigned] += 1
        left -= assigned
    return kinds


# --- bounds -----------------------------------------------------------------------------------


Rooms = Mapping[str, int]


def fewest_roaming(rooms: Rooms, roaming: Sequence[Roaming]) -> Iterator[tuple[str, int]]:
    """Fewest addresses of additional ENIs in each subnet, with everything else at its lowest.

    Parameters
    ----------
    rooms : mapping of str to int
        Free addresses in each subnet with everything else at its lowest. [addresses]
    roaming : sequence of Roaming
        The lower bound of each group.

    Notes
    -----
    When a subnet got its last ENI, no other subnet that the node could use had more free addresses. So a subnet ends at
    most one ENI below the level that the most addresses reach over one node's choice of subnets, and at most one ENI
    above the level that the fewest reach over all subnets that nodes with this choice can use. Both levels only fall as
    more addresses are used anywhere, so everything else at its highest gives the highest bound, and at its lowest the
    lowest. Everything else is counted first: ENIs that were created before the current holders can exceed the bounds.
    See ``docs/explanation/model.md``.
    """
    for zone in _by_zone(roaming):
        for sets, names in zone.alike():
            fewest, every = zone.demand(sets), zone.within(sets)
            level = water_level([rooms[n] for n in every], fewest)[1] if len(every) > 1 else None
            for name in names:
                low = fewest if level is None else max(rooms[name] - level - zone.eni, 0)
                yield name, min(low, fewest)


def most_roaming(rooms: Rooms, roaming: Sequence[Roaming]) -> Iterator[tuple[str, int]]:
    """Most addresses of additional ENIs in each subnet, with everything else at its highest; see
    :func:`fewest_roaming`.
    """
    for zone in _by_zone(roaming):
        in_all = sum(r.addresses for r in zone.roaming)
        for sets, names in zone.alike():
            most = min(zone.demand(sets), in_all)
            alone = len(zone.within(sets)) == 1
            worst = None if alone else min(water_level([rooms[n] for n in s], in_all)[0] for s in sets)
            for name in names:
                high = most if worst is None else max(rooms[name] - worst + zone.eni, 0)
                yield name, min(high, most)


def _by_zone(roaming: Sequence[Roaming]) -> list[_Zone]:
    zones: dict[str, list[Roaming]] = {}
    for r in roaming:
        zones.setdefault(r.zone, []).append(r)
    return [_Zone(mine) for mine in zones.values()]


Sets = tuple[tuple[str, ...], ...]  # choices of subnets


class _Zone:
    """The additional ENIs of one zone: the subnets that nodes in each home subnet can use."""

    def __init__(self, roaming: Sequence[Roaming]) -> None:
        self.roaming = roaming
        self.choices = {home: r.shape.choices[home] for r in roaming for home in r.by_home}
        self.eni = max(r.shape.first.largest_eni for r in roaming)  # [addresses]

    def alike(self) -> Iterable[tuple[Sets, list[str]]]:
        """Subnets with equal choices, together with these choices."""
        sets_of: dict[str, list[tuple[str, ...]]] = {}
        for several in dict.fromkeys(self.choices.values()):
            for name in several:
                sets_of.setdefault(name, []).append(several)
        found: dict[Sets, list[str]] = {}
        for name, sets in sets_of.items():
            found.setdefault(tuple(sets), []).append(name)
        return found.items()

    def within(self, sets: Sets) -> list[str]:
        """The subnets of some choices."""
        return list(dict.fromkeys(n for several in sets for n in several))

    def demand(self, sets: Sets) -> int:
        """Addresses of the nodes with one of these choices, limited by each group's bound in the zone. [addresses]"""
        wanted = set(sets)
        homes = [home for home, several in self.choices.items() if several in wanted]
        if len(homes) == len(self.choices):
            return sum(r.addresses for r in self.roaming)
        return sum(r.by_home[home] for r in self.roaming for home in homes if home in r.by_home)
