"""Further ENIs of nodes over the subnets that discovery chooses among: each goes where most addresses are free.

The CNI tries the subnets of a node's zone in the order of their free addresses, so of many ENIs in a row each goes
to the one that is then the emptiest. That is played here for all nodes, after everything else is booked; identical
ENIs are counted, never looped over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from capacity.cluster.scenario import GroupState, NodeClass
from capacity.cluster.shape import GroupShape, TypeShape
from capacity.units import counted
from capacity.vpc.ledger import Booking

FEW = 12  # ENIs up to which playing them is quicker than looking for their level


def emptiest_first(free: Sequence[int], size: int, count: int) -> list[int]:
    """How many of ``count`` ENIs each subnet gets if one after the other goes to the emptiest, ties in order. [ENIs]

    Parameters
    ----------
    free : sequence of int
        Free addresses of each subnet; negative where it is short already. [addresses]
    size : int
        Addresses that one ENI takes. [addresses]

    Notes
    -----
    Subnet i stands at free, free − size, free − 2 size, … before each ENI it gets: the ENIs take the ``count``
    highest of all these steps. All steps above a level are taken at once, those at the level in order.

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
    while low < high:  # the lowest level that the ENIs reach in full
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
    """The outcome found by placing one ENI after the other."""
    left, found = list(free), [0] * len(free)
    for _ in range(count):
        emptiest = left.index(max(left))
        left[emptiest] -= size
        found[emptiest] += 1
    return found


def water_level(free: Sequence[int], addresses: int) -> tuple[int, int]:
    """Free addresses that the emptiest subnets come down to if so many are poured over them, rounded down and up.

    >>> water_level([100, 70, 10], 50)
    (60, 60)
    """
    # Over the m emptiest subnets the level is (their free − addresses) ÷ m; with any other m that is lower.
    sums = list(enumerate(accumulate(sorted(free, reverse=True)), 1))
    return max((f - addresses) // m for m, f in sums), max(-((addresses - f) // m) for m, f in sums)


# --- expected ---------------------------------------------------------------------------------


class _FurtherEnis(NamedTuple):
    """What books the addresses of further ENIs, in words when asked for."""

    enis: int
    group: str
    subnet: str
    pods: int | None = None
    spare: int | None = None

    def __str__(self) -> str:
        what = f"{counted(self.enis, 'further ENI')} of {self.group} in {self.subnet}, emptiest subnet first"
        if self.pods is not None:
            return f"{what}: {counted(self.pods, 'pod')} each"
        return what if self.spare is None else f"{what}: {self.spare} spare each"


Kinds = Mapping[tuple[int, int], int]  # ENIs of one node by (slots, pods on them)


def book_further_enis(bookings: Mapping[str, Booking], groups: Sequence[GroupState]) -> None:
    """The further ENIs of every node whose subnet leaves a choice: by group, kind of node, and ENI."""
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
    """Further ENIs of one node by (slots, pods on them), pods packed in the order in which ENIs come. [ENIs]"""
    left = max(vpc_pods - shape.primary_slots(vpc_pods) * shape.unit, 0)
    kinds: Counter[tuple[int, int]] = Counter()
    for slots in shape.further_enis(vpc_pods):
        assigned = min(left, slots * shape.unit)
        kinds[slots, assigned] += 1
        left -= assigned
    return kinds


# --- bounds -----------------------------------------------------------------------------------


class Roaming(NamedTuple):
    """One bound, the fewest or the most, of the addresses of further ENIs of a group's nodes in one zone.

    Attributes
    ----------
    addresses : int
        Of all its nodes in the zone. [addresses]
    by_home : mapping of str to int
        Of those in each node subnet with a choice. [addresses]
    """

    shape: GroupShape
    zone: str
    addresses: int
    by_home: Mapping[str, int]


Rooms = Mapping[str, int]


def fewest_roaming(rooms: Rooms, roaming: Sequence[Roaming]) -> Iterator[tuple[str, int]]:
    """Fewest addresses of further ENIs in each subnet, with everything else at its lowest.

    Parameters
    ----------
    rooms : mapping of str to int
        Addresses that are free in each subnet with everything else at its lowest. [addresses]
    roaming : sequence of Roaming
        The fewest of each group.

    Notes
    -----
    When the last ENI came to a subnet none of the others that its node could use had more free addresses. So a
    subnet ends at most one ENI below the level to which the most addresses, poured over one node's choice of
    subnets, bring the emptiest of them; and at most one ENI above the level to which the fewest, poured over all
    subnets that nodes with this choice can use, bring them. Both levels only fall as more is booked anywhere, so
    all else at its highest gives the highest, at its lowest the lowest. In the order of the booking, all else
    first: ENIs that came before what fills their subnet now may be beyond. See ``docs/explanation/model.md``.
    """
    for zone in _by_zone(roaming):
        for sets, names in zone.alike():
            fewest, every = zone.demand(sets), zone.within(sets)
            level = water_level([rooms[n] for n in every], fewest)[1] if len(every) > 1 else None
            for name in names:
                low = fewest if level is None else max(rooms[name] - level - zone.eni, 0)
                yield name, min(low, fewest)


def most_roaming(rooms: Rooms, roaming: Sequence[Roaming]) -> Iterator[tuple[str, int]]:
    """The most, with everything else at its highest; see :func:`fewest_roaming`."""
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
    """The further ENIs of one zone: which subnets the nodes of each home choose among."""

    def __init__(self, roaming: Sequence[Roaming]) -> None:
        self.roaming = roaming
        self.choices = {home: r.shape.choices[home] for r in roaming for home in r.by_home}
        self.eni = max(r.shape.first.largest_eni for r in roaming)  # [addresses]

    def alike(self) -> Iterable[tuple[Sets, list[str]]]:
        """The subnets that the same choices have, with these choices."""
        sets_of: dict[str, list[tuple[str, ...]]] = {}
        for several in dict.fromkeys(self.choices.values()):
            for name in several:
                sets_of.setdefault(name, []).append(several)
        found: dict[Sets, list[str]] = {}
        for name, sets in sets_of.items():
            found.setdefault(tuple(sets), []).append(name)
        return found.items()

    def within(self, sets: Sets) -> list[str]:
        """All subnets of some choices."""
        return list(dict.fromkeys(n for several in sets for n in several))

    def demand(self, sets: Sets) -> int:
        """Addresses of the nodes with one of these choices; of all of a group in the zone its own bound. [addresses]"""
        wanted = set(sets)
        homes = [home for home, several in self.choices.items() if several in wanted]
        if len(homes) == len(self.choices):
            return sum(r.addresses for r in self.roaming)
        return sum(r.by_home[home] for r in self.roaming for home in homes if home in r.by_home)
