"""What a cluster at rest asks for: nodes per group and replicas per workload."""

from __future__ import annotations

from dataclasses import dataclass

from capacity.spec.plan import Plan


@dataclass(frozen=True, slots=True)
class Demand:
    """Nodes per group and replicas per workload, in plan order.

    A None among ``nodes`` is "as few as hold the pods", at least ``floor`` and at most ``ceiling``.
    """

    name: str
    rule: str
    nodes: tuple[int | None, ...]
    floor: tuple[int, ...]
    ceiling: tuple[int | None, ...]
    replicas: tuple[int, ...]


def steady(plan: Plan) -> Demand:
    """Exactly ``desired`` nodes and the replicas of now."""
    groups = plan.node_groups
    return Demand(
        name="steady",
        rule="desired nodes (none given: the fewest between min and max that hold the pods), replicas of now",
        nodes=tuple(g.desired for g in groups),
        floor=tuple(g.min_nodes for g in groups),
        ceiling=tuple(g.max_nodes for g in groups),
        replicas=tuple(w.replicas for w in plan.workloads),
    )


def peak(plan: Plan) -> Demand:
    """Every node group and every workload at its maximum."""
    groups = plan.node_groups
    return Demand(
        name="peak",
        rule="max nodes (none given: as many as the pods need), replicas at their maximum",
        nodes=tuple(g.max_nodes for g in groups),
        floor=tuple(max(g.min_nodes, g.desired or 0) for g in groups),
        ceiling=tuple(g.max_nodes for g in groups),
        replicas=tuple(w.max_replicas for w in plan.workloads),
    )
