"""Computes the fewest and most addresses of a group in each subnet, over all placements of its pods and remaining
nodes.

After events also over the choice of drained or lost nodes and the new places of their pods
(:mod:`capacity.cluster.turnover`). :mod:`capacity.cluster.shape` computes the table of one node's addresses by pods;
this module applies it to a range of node counts. ``docs/explanation/model.md`` explains the bounds.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import NamedTuple

from capacity.cluster.scenario import Batch, GroupState, PodRange, Roaming
from capacity.cluster.shape import TypeShape
from capacity.cluster.spread import share_range
from capacity.cni.extremes import least_addresses, most_addresses, most_in_two
from capacity.plan.model import Subnet
from capacity.units import counted

Table = tuple[int, ...]
FEW_CLOSED = 8  # additional nodes that can drain in one place: up to this number, each count is tried


class Here(NamedTuple):
    """Nodes of a group in one place: fewest and most of those that ran before, and of those started since. [nodes]

    ``filled``: batches that run separate pods, with their fewest and most nodes here.
    """

    zone: str
    old: tuple[int, int]
    started: tuple[int, int]
    filled: tuple[tuple[Batch, int, int], ...] = ()

    def like(self, state: GroupState) -> Hashable:
        """The key that equal places of a group share; None if no other place is equal."""
        if self.filled:
            return None
        return self.old, self.started, any(zone == self.zone for _, zone in state.turnover.closings)

    @property
    def fewest(self) -> int:
        """Fewest nodes in total. [nodes]"""
        return self.old[0] + self.started[0] + sum(few for _, few, _ in self.filled)

    @property
    def most(self) -> int:
        """Most nodes in total. [nodes]"""
        return self.old[1] + self.started[1] + sum(many for _, _, many in self.filled)


class Appetite(NamedTuple):
    """The addresses of a node by its pods of one kind.

    Attributes
    ----------
    most, least : tuple of int
        Addresses of one node with 0, 1, … pods, for the upper bound; for the lower bound also with pods that get no
        address. [addresses]
    """

    most: Table
    least: Table

    @property
    def room(self) -> int:
        """Most pods that can be placed on a node. [pods]"""
        return len(self.least) - 1


class Taken(NamedTuple):
    """The addresses that a group uses in one subnet: of its nodes, or of its pods if there is a table.

    Attributes
    ----------
    table : tuple of int or None
        Addresses of one node with its daemonsets and 0, 1, … workload pods on VPC addresses. [addresses]
    """

    subnet: str
    state: GroupState
    here: Here
    table: Table | None

    @property
    def lowest(self) -> int:
        """Fewest addresses. [addresses]"""
        if self.table is None:
            return self.here.fewest * self.state.shape.node_addresses
        return sum(_lowest(self.state, self.here, *of) for of in _kinds(self.state, self.here, self.table))

    @property
    def highest(self) -> int:
        """The most. [addresses]"""
        if self.table is None:
            return self.here.most * self.state.shape.node_addresses
        return sum(_highest(self.state, self.here, *of) for of in _kinds(self.state, self.here, self.table))

    @property
    def why(self) -> str:
        """The nodes and pods of the group, in words."""
        if self.table is not None:
            return _why(self.state, self.here)
        of = f"{self.here.fewest} to {self.here.most} of its {self.state.nodes} nodes"
        return f"{self.state.shape.group.name}: {of}, their node addresses"


def bounds_of(subnets: Mapping[str, Subnet], state: GroupState) -> Iterator[Taken]:
    """The addresses that a group uses in each subnet; bounds are computed on demand.

    ENIs that discovery places are left out (:func:`roaming_of`).
    """
    spec, shape = state.shape.group, state.shape
    for zone in state.nodes_by_zone:
        mine = [n for n in spec.subnets if subnets[n].zone == zone]
        homes = [n for n in spec.pod_subnets if subnets[n].zone == zone]
        nodes = {name: _nodes_in(state, zone, mine, name) for name in mine}
        for name in mine:
            yield Taken(name, state, nodes[name], None)
        pods = {name: _nodes_in(state, zone, homes, name) for name in homes} if homes else nodes
        for name in homes or mine:
            table = shape.first.home_table if name in shape.choices else shape.first.demand_table
            yield Taken(name, state, pods[name], table)


def _why(state: GroupState, here: Here) -> str:
    turnover = state.turnover
    pods = turnover.vpc.most + turnover.branch.most
    text = f"{state.shape.group.name}: {here.fewest} to {here.most} of its {state.nodes} nodes"
    text += f" with any share of its {counted(pods, 'pod')}"
    closed = sum(nodes for nodes, _ in turnover.closings)
    if closed:
        gone = sum(turnover.vpc.closed) + sum(turnover.branch.closed)
        text += f"; up to {gone:,} of them counted again on the {counted(closed, 'node')} that drain or are lost"
    return text


def roaming_of(subnets: Mapping[str, Subnet], state: GroupState, *, most: bool) -> Iterator[Roaming]:
    """The fewest or most addresses of a group's additional ENIs in each zone where discovery places them."""
    shape = state.shape
    if not shape.choices:
        return
    bound = _highest if most else _lowest
    appetite = _appetite(shape.first, shape.first.further_table)
    known: dict[Hashable, int] = {}

    def demand(here: Here) -> int:
        like = here.like(state)
        if like is None:
            return bound(state, here, state.turnover.vpc, appetite, 0)
        if like not in known:
            known[like] = bound(state, here, state.turnover.vpc, appetite, 0)
        return known[like]

    for zone in state.nodes_by_zone:
        mine = [n for n in shape.group.subnets if subnets[n].zone == zone]
        nodes = {n: _nodes_in(state, zone, mine, n) for n in mine if n in shape.choices}
        if not nodes:
            continue
        every = _nodes_in(state, zone, [], None)
        if len(nodes) < len(mine):  # the rest of the zone's nodes have no choice
            every = _together(zone, list(nodes.values()), every)
        yield Roaming(shape, zone, demand(every), {n: demand(here) for n, here in nodes.items()})


def _together(zone: str, places: Sequence[Here], every: Here) -> Here:
    """Nodes in some subnets of a zone: the sum of their bounds, limited by the nodes of the zone."""

    def both(parts: Sequence[tuple[int, int]], whole: tuple[int, int]) -> tuple[int, int]:
        return sum(few for few, _ in parts), min(sum(many for _, many in parts), whole[1])

    filled = zip(*(here.filled for here in places), strict=True)
    return Here(
        zone,
        both([here.old for here in places], every.old),
        both([here.started for here in places], every.started),
        tuple(
            (parts[0][0], *both([part[1:] for part in parts], whole[1:]))
            for parts, whole in zip(filled, every.filled, strict=True)
        ),
    )


def _nodes_in(state: GroupState, zone: str, places: Sequence[str], name: str | None) -> Here:
    """Nodes of a group in one of the zone's subnets (of nodes or of pods), or in the whole zone."""
    few_old = most_old = few_started = most_started = 0
    filled = []
    for batch in state.batches:
        low, high = batch.zones.get(zone, (0, 0))
        if name is None:
            pass
        elif batch.subnet in places:
            low, high = (low, high) if batch.subnet == name else (0, 0)
        elif batch.anywhere and len(places) > 1:
            low = 0
        else:
            low, high = share_range(low, high, len(places))
        if batch.filled:
            filled.append((batch, low, high))
        elif batch.started:
            few_started += low
            most_started += high
        else:
            few_old += low
            most_old += high
    return Here(zone, (few_old, most_old), (few_started, most_started), tuple(filled))


def _kinds(state: GroupState, here: Here, table: Table) -> Iterator[tuple[PodRange, Appetite, int]]:
    """A group's pods by kind: on VPC addresses (0), and on branch ENIs (1) if there are any."""
    first, turnover = state.shape.first, state.turnover
    yield turnover.vpc, _appetite(first, table), 0
    if turnover.branch.most or here.filled:
        each = tuple(range(first.room.branch_enis + 1))
        yield turnover.branch, Appetite(each, each), 1


def _appetite(first: TypeShape, table: Table) -> Appetite:
    """The address table for pods of one kind; the scheduler can put more pods on a node than get an address."""
    return Appetite(table, first.placed(table))


def _lowest(state: GroupState, here: Here, pods: PodRange, appetite: Appetite, kind: int) -> int:
    """Fewest addresses of pods of one kind in a place."""
    return _fewest(state, here, pods, appetite) + sum(few * each[0] for few, _, each in _filled(here, appetite, kind))


def _highest(state: GroupState, here: Here, pods: PodRange, appetite: Appetite, kind: int) -> int:
    """Most addresses of pods of one kind in a place."""
    return _most(state, here, pods, appetite) + sum(many * each[1] for _, many, each in _filled(here, appetite, kind))


def _filled(here: Here, appetite: Appetite, kind: int) -> Iterator[tuple[int, int, tuple[int, int]]]:
    """Batches with separate pods: fewest and most nodes, and fewest and most addresses of each."""
    table = appetite.most
    for batch, few, many in here.filled:
        assert batch.filled
        fewest, most = (min(n, len(table) - 1) for n in batch.filled[kind])
        yield few, many, (table[fewest], table[most])


def _most(state: GroupState, here: Here, pods: PodRange, appetite: Appetite) -> int:
    """Upper bound: all nodes that can be closed here are, as full as possible; open nodes hold any share of the running
    pods.
    """
    old, started = here.old[1], here.started[1]
    closed = held = 0
    for number, ((nodes, zone), most) in enumerate(zip(state.turnover.closings, pods.closed, strict=True)):
        if zone not in (None, here.zone):
            continue
        gone = old + started if zone else min(nodes, old + started if number else old)
        held += min(most, appetite.room * gone)
        closed += gone
        newer = min(started, gone) if zone or number else 0
        old, started = old - (gone - newer), started - newer
    table = appetite.most
    open_most = most_in_two(table, old, started, pods.most, pods.started)
    return open_most + (most_addresses(table, closed, held) if closed else 0)


def _fewest(state: GroupState, here: Here, pods: PodRange, appetite: Appetite) -> int:
    """Lower bound: as few pods here as the other nodes allow, before and after."""
    room, few = appetite.room, here.old[0] + here.started[0]
    old = sum(b.count for b in state.batches if not b.started and not b.filled)
    before = pods.before - room * (old - here.old[0])
    closings = state.turnover.closings
    if any(zone == here.zone for _, zone in closings):
        return least_addresses(appetite.least, few, max(before, 0))
    drained = sum(nodes for nodes, zone in closings if zone is None)
    every = sum(b.count for b in state.batches if not b.filled) - sum(nodes for nodes, _ in closings)
    outside = every - few  # open nodes elsewhere if none here is closed

    def here_at_least(closed: int) -> tuple[int, int]:
        """Pods before on the given number of closed nodes here, and pods after on the open nodes here."""
        full = pods.before - room * (old - closed) if len(closings) == 1 else 0
        return max(full, 0), max(pods.least - room * (outside + closed), 0)

    def fewest_with(closed: int) -> int:
        on_closed, on_open = here_at_least(closed)
        together = least_addresses(appetite.least, few, max(before, 0, on_closed + on_open))
        apart = least_addresses(appetite.least, closed, min(on_closed, room * closed))
        apart += least_addresses(appetite.least, few - closed, min(on_open, room * (few - closed)))
        return max(together, apart)

    first = max(drained - (old - here.old[0]), 0) if len(closings) == 1 else 0
    last = min(drained, few)
    if last - first <= FEW_CLOSED:
        return min(fewest_with(n) for n in range(min(first, last), last + 1))
    # With every closed node the pods before on closed nodes rise by as much as those after on open nodes fall, both
    # limited by 0: from the count at which the latter are 0 on, the sum cannot fall.
    turn = (pods.least - room * outside) // room if room else 0
    tried = {min(max(n, first), max(last, first)) for n in (turn, turn + 1)}
    return least_addresses(appetite.least, few, max(before, 0, min(sum(here_at_least(n)) for n in tried)))
