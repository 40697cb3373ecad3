"""Fewest and most addresses of a group in each subnet: over all splits of its pods and over where odd nodes fall.

The table of one node's addresses by pods is worked out in :mod:`capacity.cluster.shape`; here it is applied to
between so many and so many nodes. ``docs/explanation/model.md`` says what the bounds mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from capacity.cluster.discovery import Roaming
from capacity.cluster.scenario import GroupState
from capacity.cluster.shape import GroupShape, TypeShape
from capacity.cluster.spread import share_range
from capacity.cni.extremes import least_addresses, most_addresses
from capacity.spec.plan import Subnet


def bounds_of(subnets: Mapping[str, Subnet], state: GroupState) -> Iterator[tuple[str, int, int, str]]:
    """What a group takes of each subnet, at least and at most, and why: its nodes' own addresses, and its pods'.

    What discovery has a choice for is left out (:func:`roaming_of`).
    """
    spec, shape = state.shape.group, state.shape
    pods, branch = _pods_of(state)
    for zone in state.nodes_by_zone:
        mine = [n for n in spec.subnets if subnets[n].zone == zone]
        homes = [n for n in spec.pod_subnets if subnets[n].zone == zone]
        for name in mine:
            few, many = _nodes_in(state, zone, mine, name)
            why = f"{spec.name}: {few} to {many} of its {state.nodes} nodes, their own addresses"
            yield name, few * shape.node_addresses, many * shape.node_addresses, why
        for name in homes or mine:
            few, many = _nodes_in(state, zone, homes or mine, name)
            why = f"{spec.name}: {few} to {many} of its {state.nodes} nodes with any share of its {pods + branch} pods"
            at_home = name in shape.choices
            yield name, *group_bounds(shape, state.nodes, few, many, pods, branch, at_home), why


def roaming_of(subnets: Mapping[str, Subnet], state: GroupState) -> Iterator[Roaming]:
    """Bounds of a group's further ENIs in each zone where discovery has a choice for them."""
    shape = state.shape
    if not shape.choices:
        return
    pods, _ = _pods_of(state)

    def demand(few: int, many: int) -> tuple[int, int]:
        return split_bounds(shape.first, shape.first.further_table, state.nodes, few, many, pods)

    for zone in state.nodes_by_zone:
        mine = [n for n in shape.group.subnets if subnets[n].zone == zone]
        nodes = {n: _nodes_in(state, zone, mine, n) for n in mine if n in shape.choices}
        if not nodes:
            continue
        few, many = (sum(batch.zones.get(zone, (0, 0))[i] for batch in state.batches) for i in (0, 1))
        if len(nodes) < len(mine):  # the rest of the zone's nodes have no choice
            few, many = sum(n for n, _ in nodes.values()), min(sum(n for _, n in nodes.values()), many)
        yield Roaming(shape, zone, *demand(few, many), {n: demand(*between) for n, between in nodes.items()})


def _pods_of(state: GroupState) -> tuple[int, int]:
    """Workload pods of a group on VPC addresses, and on branch ENIs. [pods]"""
    daemons = state.shape.first.daemon_pods
    pods = sum(c.count * (c.vpc_pods - daemons) for c in state.classes)
    return pods, sum(c.count * c.branch_pods for c in state.classes)


def _nodes_in(state: GroupState, zone: str, places: Sequence[str], name: str) -> tuple[int, int]:
    """Fewest and most nodes of a group in one of the zone's subnets (of nodes or of pods). [nodes]"""
    few = many = 0
    for batch in state.batches:
        low, high = batch.zones.get(zone, (0, 0))
        if batch.subnet in places:
            low, high = (low, high) if batch.subnet == name else (0, 0)
        else:
            low, high = share_range(low, high, len(places))
        few, many = few + low, many + high
    return few, many


def group_bounds(
    shape: GroupShape, nodes: int, few: int, many: int, pods: int, branch: int, at_home: bool = False
) -> tuple[int, int]:
    """Fewest and most addresses that a group's pods take in a subnet with few…many of its nodes.

    Parameters
    ----------
    nodes, few, many : int
        Nodes of the group in all; fewest and most of them here. [nodes]
    pods, branch : int
        Workload pods on VPC addresses, and branch pods, of the whole group. [pods]
    at_home : bool
        Only what is on the trunk and the primary ENI.
    """
    table = shape.first.home_table if at_home else shape.first.demand_table
    low, high = split_bounds(shape.first, table, nodes, few, many, pods)
    fewest, most = branch_bounds(shape, nodes, few, many, branch)
    return low + fewest, high + most


def split_bounds(on: TypeShape, table: tuple[int, ...], nodes: int, few: int, many: int, pods: int) -> tuple[int, int]:
    """Least and most of a table over all splits of pods that the scheduler may choose.

    It may put more pods on a node than get an address there: those take none.
    """
    fewest = max(pods - on.most_placed_pods * (nodes - few), 0)
    most = min(pods, on.most_workload_pods * many)
    return least_addresses(on.placed(table), few, fewest), most_addresses(table, many, most)


def branch_bounds(shape: GroupShape, nodes: int, few: int, many: int, branch: int) -> tuple[int, int]:
    """Fewest and most branch ENIs in a subnet with few…many of a group's nodes. [addresses]"""
    each = shape.first.room.branch_enis
    return max(branch - each * (nodes - few), 0), min(branch, each * many)
