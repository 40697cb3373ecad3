"""The mean node of each group to buy: how much of every resource its pods use, by workload, and what limits it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from capacity.node.limit_words import limit_words
from capacity.optimize.buy import Purchase, nodes_of
from capacity.optimize.market import RESOURCES, BuyableType, Pods, demand_of
from capacity.optimize.optimized import Optimized, check_optimized
from capacity.optimize.unused import pods_by_group

SHOWN = ("cpu", "memory", "max_pods", "addresses")  # those of every node; the others only where a pod takes some


@dataclass(frozen=True, slots=True)
class Use:
    """A resource of the mean node.

    Attributes
    ----------
    resource : str
        One of :data:`capacity.optimize.market.RESOURCES`.
    allocatable : int
        Allocatable of a node. [millicores, bytes, pods or addresses]
    daemonsets : int
        The part that the DaemonSets use.
    workloads : mapping of str to float
        The part that the pods of each workload use, on average over the nodes.
    """

    resource: str
    allocatable: int
    daemonsets: int
    workloads: Mapping[str, float]

    @property
    def share(self) -> float:
        """The part in use, as a share of allocatable; 0 if the node has none of the resource."""
        return (self.daemonsets + sum(self.workloads.values())) / self.allocatable if self.allocatable else 0.0


@dataclass(frozen=True, slots=True)
class MeanNode:
    """A node group at the peak, as its mean node.

    Attributes
    ----------
    binding : str or None
        The resource that limits the next pod on the busiest node, as in ``check``.
    pods : mapping of str to float
        Pods of each workload on a node, on average. [pods]
    """

    group: str
    instance_type: str
    nodes: int
    binding: str | None
    pods: Mapping[str, float]
    uses: tuple[Use, ...]


def resource_words(resource: str) -> str:
    """The display name of a resource.

    >>> resource_words("addresses"), resource_words("volumes")
    ('pod addresses', 'EBS volumes')
    """
    return limit_words("ips" if resource == "addresses" else resource)


def mean_nodes(found: Optimized) -> list[MeanNode]:
    """The mean node of each group to buy that has nodes at the peak, in the order of the groups."""
    check_optimized(found)
    return [] if found.bought is None else list(_mean_nodes(found.bought, found.pods))


def _mean_nodes(bought: Purchase, pods: tuple[Pods, ...]) -> Iterator[MeanNode]:
    homes = pods_by_group(bought, pods)
    for number, (sized, name) in enumerate(zip(bought.division, bought.names, strict=True)):
        nodes = nodes_of(bought.peak, name)
        if not nodes:
            continue
        mine = {p.name: homes[number][p.name] / nodes for p in pods if homes.get(number, {}).get(p.name)}
        uses = tuple(_uses(sized.candidate, mine, {p.name: p for p in pods}))
        yield MeanNode(name, sized.candidate.name, nodes, bought.peak.group(name).binding, mine, uses)


def _uses(candidate: BuyableType, mine: Mapping[str, float], pods: Mapping[str, Pods]) -> Iterator[Use]:
    node = candidate.node
    daemonsets = {
        "cpu": node.start.cpu,
        "memory": node.start.memory,
        "max_pods": node.start.pods,
        "addresses": node.daemon_pods,
        "branch_enis": node.start.branch_pods,
        "volumes": node.start.volumes,
        "gpus": node.start.gpus,
    }
    for i, (resource, room) in enumerate(zip(RESOURCES, candidate.rooms, strict=True)):
        taken = {name: count * demand_of(pods[name].pod)[i] for name, count in mine.items()}
        if resource in SHOWN or any(taken.values()):
            own = daemonsets.get(resource, 0)
            yield Use(resource, room + own, own, {n: t for n, t in taken.items() if t})
