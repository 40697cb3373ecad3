"""Computes the demand of a cluster in the steady, peak or ceiling state: nodes per group and replicas per workload."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from capacity.cluster.shape import GroupShape
from capacity.plan.model import Plan


class Demand(NamedTuple):
    """Nodes per group and replicas per workload, in plan order.

    None in ``nodes`` means the fewest nodes that fit the pods, at least ``floor`` and at most ``ceiling``.
    """

    name: str
    rule: str
    nodes: tuple[int | None, ...]
    floor: tuple[int, ...]
    ceiling: tuple[int | None, ...]
    replicas: tuple[int, ...]


def steady(plan: Plan, shapes: Sequence[GroupShape]) -> Demand:
    """Exactly ``desired`` nodes and the current replicas."""
    groups = plan.node_groups
    return Demand(
        name="steady",
        rule="desired nodes (if unset, the fewest between min and max that fit the pods), current replicas",
        nodes=tuple(g.desired for g in groups),
        floor=tuple(g.min_nodes for g in groups),
        ceiling=tuple(s.most_nodes for s in shapes),
        replicas=tuple(w.replicas for w in plan.workloads),
    )


def peak(plan: Plan, shapes: Sequence[GroupShape]) -> Demand:
    """Every workload at its maximum, on the nodes that the pods need."""
    return Demand(
        name="peak",
        rule="maximum replicas; autoscaled groups grow from desired as their pods require, up to max",
        nodes=(None,) * len(shapes),
        floor=tuple(_floor(s) for s in shapes),
        ceiling=tuple(s.most_nodes for s in shapes),
        replicas=tuple(w.max_replicas for w in plan.workloads),
    )


def _floor(shape: GroupShape) -> int:
    """The nodes of a group before its pods require more. [nodes]"""
    least = max(shape.group.min_nodes, shape.group.desired or 0)
    return least if shape.most_nodes is None else min(least, shape.most_nodes)


def ceiling(plan: Plan, shapes: Sequence[GroupShape]) -> Demand:
    """Every workload and every autoscaled group at its maximum, the most that the autoscalers can start."""
    at_peak = peak(plan, shapes)
    endless = [s.group.name for s in shapes if s.most_nodes is None and not s.group.fargate]
    rule = "every autoscaled group at its max, maximum replicas: the most that the autoscalers can start"
    return Demand(
        name="ceiling",
        rule=f"{rule}; {', '.join(endless[:4])} without a max have the nodes that the pods need" if endless else rule,
        nodes=tuple(s.most_nodes for s in shapes),
        floor=at_peak.floor,
        ceiling=at_peak.ceiling,
        replicas=at_peak.replicas,
    )


AT_REST: Mapping[str, Callable[[Plan, Sequence[GroupShape]], Demand]] = {
    "steady": steady,
    "peak": peak,
    "ceiling": ceiling,
}
