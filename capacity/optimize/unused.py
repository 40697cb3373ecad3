"""What runs on the bought nodes, and what stays unused on them."""

from __future__ import annotations

from dataclasses import dataclass

from capacity.cluster.group_nodes import GroupNodes
from capacity.cluster.place import Placement
from capacity.cluster.scenario import GroupState
from capacity.optimize.buy import Purchase, nodes_of
from capacity.optimize.market import Pods
from capacity.units import ceil_div


@dataclass(frozen=True, slots=True)
class Filling:
    """A bought group at the peak.

    Attributes
    ----------
    pods_per_node : dict of str to int
        Most pods of each workload on a node if they are spread evenly. [pods]
    binding : str or None
        The resource that limits the next pod.
    stranded_cpu_pct, stranded_memory_pct : float or None
        Share of the allocatable of all nodes of the group that no pod requests; None without nodes. [percent]
    stranded_addresses, addresses : int
        Addresses held without a pod, and held in total; both include the nodes' primary addresses. [addresses]
    """

    pods_per_node: dict[str, int]
    binding: str | None
    stranded_cpu_pct: float | None
    stranded_memory_pct: float | None
    stranded_addresses: int
    addresses: int


def fillings(bought: Purchase, pods: tuple[Pods, ...]) -> dict[str, Filling]:
    """Each bought group at the peak by its name."""
    homes = pods_by_group(bought, pods)
    return {
        name: _filling(bought.peak.group(name), homes.get(i, {}), nodes_of(bought.peak, name))
        for i, name in enumerate(bought.names)
    }


def pods_by_group(bought: Purchase, pods: tuple[Pods, ...]) -> dict[int, dict[str, int]]:
    """Pods by group and workload at the peak, placed as the check places them. [pods]"""
    division = bought.division
    placement = Placement(
        [
            GroupNodes(s.candidate.node.room, [nodes_of(bought.peak, name)], s.candidate.node.start)
            for s, name in zip(division, bought.names, strict=True)
        ]
    )
    for number, p in enumerate(pods):
        allowed = tuple(i for i, s in enumerate(division) if number in s.block)
        placement.place(p.name, p.pod, p.most, allowed)
    found: dict[int, dict[str, int]] = {}
    for (group, _), counts in placement.homes.items():
        for name, count in counts.items():
            mine = found.setdefault(group, {})
            mine[name] = mine.get(name, 0) + count
    return found


def _filling(state: GroupState, pods: dict[str, int], nodes: int) -> Filling:
    classes, node = state.classes, state.shape.first
    count = sum(c.count for c in classes)
    held = sum(c.count * (state.shape.node_addresses + node.demand(c.vpc_pods) + c.branch_pods) for c in classes)
    used = sum(c.count * (node.served(c.vpc_pods) + c.branch_pods) for c in classes)
    return Filling(
        pods_per_node={name: ceil_div(n, nodes) for name, n in pods.items()} if nodes else {},
        binding=state.binding,
        stranded_cpu_pct=_unused([(c.count, c.state.cpu) for c in classes], node.room.cpu * count),
        stranded_memory_pct=_unused([(c.count, c.state.memory) for c in classes], node.room.memory * count),
        stranded_addresses=held - used,
        addresses=held,
    )


def _unused(requests: list[tuple[int, int]], room: int) -> float | None:
    if room <= 0:
        return None
    requested = sum(count * each for count, each in requests)
    return round(max(100 * (1 - requested / room), 0.0), 2)
