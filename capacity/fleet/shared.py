"""Which plans share subnets, and what two plans disagree about."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from capacity.fleet.plan_facts import NetworkSubnet, PlanFacts

Place = tuple[int, int]  # a plan, and one of its subnets


@dataclass(frozen=True)
class Disagreement:
    """Two plans that describe a subnet differently.

    Attributes
    ----------
    severity : str
        ``error`` if the plans cannot be counted together there, ``warning`` if one of them counts with wrong figures.
    first, second : tuple
        The plan and subnet that is described first, and the one that differs.
    what : str
        The difference in words.
    """

    severity: str
    first: Place
    second: Place
    what: str


@dataclass(frozen=True)
class Link:
    """A plan in the subnets of another, and its names of them; ``name`` is the one that the other plan gives it."""

    plan: int
    places: Mapping[str, str]
    name: str = ""


@dataclass(frozen=True)
class Sharing:
    """The clusters in the subnets of each plan, by its position, and what plans disagree about.

    ``pools`` are the shared subnets: all plans that are in one, each with its subnet, in the order of the plans.
    ``strangers`` are plans that name a cluster without a shared subnet, with its file.
    """

    links: Mapping[int, tuple[Link, ...]]
    pools: tuple[tuple[Place, ...], ...]
    disagreements: tuple[Disagreement, ...]
    strangers: Mapping[int, str] = field(default_factory=dict)


def find_sharing(plans: Sequence[PlanFacts]) -> Sharing:
    """Find the plans in the same subnets: by subnet ID, by VPC ID and CIDR, or because a plan names another's file.

    Two plans that place a subnet in different zones, or divide a VPC differently, are not counted together there.
    """
    wanted, names = _named(plans)
    same = _Classes()
    for members in _by_identity(plans):
        same.join(members)
    for one, other in wanted:
        _join_named(plans, one, other, same)
    pools: list[tuple[Place, ...]] = []
    disagreements: list[Disagreement] = []
    for members in same.groups():
        parts = _consistent(plans, members)
        disagreements += _differences(plans, parts)
        pools += [tuple(part) for part in parts if len(part) > 1]
    disagreements += _overlaps(plans, wanted)
    links = _links(plans, pools, names)
    strangers = {
        one: plans[other].file
        for one, other in wanted
        if (one, other) in names and all(link.plan != other for link in links.get(one, ()))
    }
    pools.sort(key=lambda pool: pool[0])
    return Sharing(links, tuple(pools), tuple(sorted(disagreements, key=lambda d: (d.second, d.first))), strangers)


class _Classes:
    """Sets of subnets that are the same one."""

    def __init__(self) -> None:
        self._above: dict[Place, Place] = {}

    def _root(self, place: Place) -> Place:
        self._above.setdefault(place, place)
        while self._above[place] != place:
            self._above[place] = self._above[self._above[place]]
            place = self._above[place]
        return place

    def join(self, places: Sequence[Place]) -> None:
        for place in places[1:]:
            one, other = sorted((self._root(places[0]), self._root(place)))
            self._above[other] = one

    def groups(self) -> list[list[Place]]:
        """The sets, each in the order of the plans. A subnet that was joined with no other is in none."""
        found: dict[Place, list[Place]] = {}
        for place in sorted(self._above):
            found.setdefault(self._root(place), []).append(place)
        return list(found.values())


def _subnet(plans: Sequence[PlanFacts], place: Place) -> NetworkSubnet:
    return plans[place[0]].subnets[place[1]]


def _every(plans: Sequence[PlanFacts]) -> Iterator[tuple[Place, PlanFacts, NetworkSubnet]]:
    for i, plan in enumerate(plans):
        for n, subnet in enumerate(plan.subnets):
            yield (i, n), plan, subnet


def _by_identity(plans: Sequence[PlanFacts]) -> Iterable[list[Place]]:
    known: dict[tuple[str, str], list[Place]] = {}
    for place, plan, subnet in _every(plans):
        if plan.vpc:
            known.setdefault((plan.vpc, str(subnet.cidr)), []).append(place)
        if subnet.id:
            known.setdefault(("", subnet.id), []).append(place)
    return known.values()


def _named(plans: Sequence[PlanFacts]) -> tuple[list[tuple[int, int]], dict[tuple[int, int], str]]:
    """Pairs of plans of which the first names the second, and the names that it gives."""
    position = {os.path.realpath(plan.file): i for i, plan in enumerate(plans)}
    names: dict[tuple[int, int], str] = {}
    for i, plan in enumerate(plans):
        for file, name in plan.named:
            other = position.get(named_file(plan.file, file))
            if other is not None and other != i:
                names.setdefault((i, other), name)
    return list(names), names


def named_file(plan: str, file: str) -> str:
    """The full path of a plan file that another plan names."""
    return os.path.realpath(Path(plan).parent / file)


def _join_named(plans: Sequence[PlanFacts], one: int, other: int, same: _Classes) -> None:
    """Join the subnets of equal CIDR of two plans, of which one names the other."""
    theirs = {subnet.cidr: n for n, subnet in enumerate(plans[other].subnets)}
    for n, subnet in enumerate(plans[one].subnets):
        if subnet.cidr in theirs:
            same.join([(one, n), (other, theirs[subnet.cidr])])


def _consistent(plans: Sequence[PlanFacts], members: Sequence[Place]) -> list[list[Place]]:
    """The members that agree on CIDR and zone, the set of the first plan first."""
    parts: dict[tuple[object, ...], list[Place]] = {}
    for place in members:
        subnet = _subnet(plans, place)
        parts.setdefault((subnet.cidr, subnet.zone), []).append(place)
    return list(parts.values())


def _differences(plans: Sequence[PlanFacts], parts: Sequence[Sequence[Place]]) -> Iterator[Disagreement]:
    first = parts[0][0]
    known = _subnet(plans, first)
    for part in parts[1:]:
        other = _subnet(plans, part[0])
        what = f"{known.cidr} and {other.cidr}" if known.cidr != other.cidr else f"zone {known.zone} and {other.zone}"
        if known.cidr == other.cidr:
            what += " (if the accounts name zones differently, use zone IDs such as use1-az1)"
        for place in part:
            yield Disagreement("error", first, place, what)
    for part in parts:
        lead = _subnet(plans, part[0])
        for place in part[1:]:
            own = _subnet(plans, place)
            if lead.id and own.id and lead.id != own.id:
                yield Disagreement("error", part[0], place, f"the IDs {lead.id} and {own.id}")
            if lead.reservations != own.reservations:
                told = " and ".join(x or "none" for x in (lead.reservations, own.reservations))
                yield Disagreement("warning", part[0], place, f"CIDR reservations: {told}")
            if lead.used != own.used:
                yield Disagreement("warning", part[0], place, f"used: {lead.used:,} and {own.used:,}")


def _overlaps(plans: Sequence[PlanFacts], wanted: Sequence[tuple[int, int]]) -> Iterator[Disagreement]:
    """Subnets of one VPC that overlap without being equal: one disagreement for each different block."""
    homes: dict[str, list[Place]] = {}
    for place, plan, _ in _every(plans):
        if plan.vpc:
            homes.setdefault(plan.vpc, []).append(place)
    for i, (one, other) in enumerate(wanted):  # plans that name each other are in one VPC, with or without an ID
        if not plans[one].vpc or plans[one].vpc != plans[other].vpc:
            homes[f"named {i}"] = [place for place, _, _ in _every(plans) if place[0] in (one, other)]
    seen: set[tuple[Place, Place]] = set()
    for places in homes.values():
        for pair in _clashes(plans, places):
            if pair not in seen:
                seen.add(pair)
                one_cidr, other_cidr = (_subnet(plans, place).cidr for place in pair)
                yield Disagreement("error", *pair, f"{one_cidr} overlaps {other_cidr}")


def _clashes(plans: Sequence[PlanFacts], places: Sequence[Place]) -> Iterator[tuple[Place, Place]]:
    """Pairs of blocks that overlap and are not equal; of equal blocks only the first plan's counts."""

    def block(place: Place) -> tuple[int, int]:
        cidr = _subnet(plans, place).cidr
        return int(cidr.network_address), -cidr.num_addresses

    def last(place: Place) -> int:
        return int(_subnet(plans, place).cidr.broadcast_address)

    ordered = [min(same) for _, same in groupby(sorted(places, key=lambda p: (block(p), p)), key=block)]
    holder: Place | None = None
    for place in ordered:
        if holder is not None and block(place)[0] <= last(holder) and holder[0] != place[0]:
            yield min(holder, place), max(holder, place)
        if holder is None or last(place) > last(holder):
            holder = place


def _links(
    plans: Sequence[PlanFacts], pools: Sequence[Sequence[Place]], names: Mapping[tuple[int, int], str]
) -> dict[int, tuple[Link, ...]]:
    found: dict[int, dict[int, dict[str, str]]] = {}
    for pool in pools:
        for mine in pool:
            others = found.setdefault(mine[0], {})
            for theirs in pool:
                if theirs[0] != mine[0]:
                    own, other = _subnet(plans, mine), _subnet(plans, theirs)
                    others.setdefault(theirs[0], {})[own.name] = other.name
    return {
        plan: tuple(Link(i, places, names.get((plan, i), "")) for i, places in sorted(others.items()))
        for plan, others in sorted(found.items())
    }
