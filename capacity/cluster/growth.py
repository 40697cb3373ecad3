"""At which node of a group's growth a subnet is full."""

from __future__ import annotations

from dataclasses import dataclass

from capacity.cluster.check import CheckResult
from capacity.cluster.engine import Engine
from capacity.cluster.headroom import addresses_in
from capacity.cluster.scenario import ScenarioState


@dataclass(frozen=True, slots=True)
class Exhaustion:
    """The node of a group that no longer fits.

    Attributes
    ----------
    group : str
    node : int
        Its number, counting all nodes of the group. [nodes]
    most : int
        Nodes of the group in the scenario. [nodes]
    addresses : int
        What each takes there, filled like the fullest of the scenario. [addresses]
    """

    group: str
    node: int
    most: int
    addresses: int


def exhaustion(result: CheckResult, scenario: ScenarioState, subnet: str) -> Exhaustion | None:
    """The first node of the hungriest group that does not fit in ``subnet``, all else as in the scenario.

    None where no node lives there, or where the subnet is short even without that group.
    """
    engine = Engine(result.plan, result.shapes)
    state = next(s for s in scenario.subnets if s.subnet.name == subnet)
    found: list[tuple[int, int, int]] = []
    for index, group in enumerate(scenario.groups):
        mine = [c for c in group.classes if subnet in (c.slot.subnet, c.slot.address_subnet)]
        per_node = max((addresses_in(group.shape, c, subnet) for c in mine), default=0)
        if per_node:
            held = sum(c.count * addresses_in(group.shape, c, subnet) for c in mine)
            found.append((held, per_node, index))
    if not found:
        return None
    held, per_node, index = max(found)
    room = state.free + held
    if room < 0:
        return None
    nodes = scenario.groups[index].nodes
    low, high = 0, nodes
    while low < high:  # the count in one subnet never falls as the group grows
        middle = (low + high) // 2
        if engine.nodes_in(index, middle, subnet) * per_node > room:
            high = middle
        else:
            low = middle + 1
    if engine.nodes_in(index, low, subnet) * per_node <= room:
        return None
    return Exhaustion(scenario.groups[index].shape.group.name, low, nodes, per_node)
