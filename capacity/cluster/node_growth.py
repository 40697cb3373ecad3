"""Finds the node of a group's growth at which a subnet is full."""

from __future__ import annotations

from typing import NamedTuple

from capacity.cluster.check import CheckResult
from capacity.cluster.engine import Engine
from capacity.cluster.headroom import Takes
from capacity.cluster.scenario import ScenarioState


class Exhaustion(NamedTuple):
    """The node of a group that no longer fits.

    Attributes
    ----------
    group : str
    node : int
        Its number, counting all nodes of the group. [nodes]
    most : int
        Nodes of the group in the scenario. [nodes]
    addresses : int
        Addresses of each node there, filled like the fullest of the scenario. [addresses]
    """

    group: str
    node: int
    most: int
    addresses: int


def exhaustion(result: CheckResult, scenario: ScenarioState, subnet: str) -> Exhaustion | None:
    """The first node that does not fit in ``subnet``, of the group that uses the most addresses, with everything else
    as in the scenario.

    None if no node is there, or if the subnet is short even without that group.
    """
    engine = Engine(result.plan, result.shapes)
    state = next(s for s in scenario.subnets if s.subnet.name == subnet)
    held = {i: takes for i in range(len(scenario.groups)) if (takes := Takes(engine, scenario, i)).any(subnet)}
    if not held:
        return None
    index = max(held, key=lambda i: (held[i].now(subnet), held[i].per_node(subnet), i))
    takes = held[index]
    room = state.free + takes.now(subnet)
    if room < 0:
        return None
    nodes = scenario.groups[index].nodes
    first = takes.first_beyond(subnet, room, nodes)
    if first is None:
        return None
    return Exhaustion(scenario.groups[index].shape.group.name, first, nodes, takes.per_node(subnet))
