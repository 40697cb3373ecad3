"""Free addresses of every subnet along a count of nodes or pods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from capacity.cluster.check import CheckResult
from capacity.cluster.demand import Demand, steady
from capacity.cluster.engine import Engine
from capacity.cluster.scenario import NodeClass, ScenarioState
from capacity.cluster.shape import GroupShape
from capacity.errors import SpecError
from capacity.units import ceil_div

MOST_STEPS = 60  # points of a curve
PARTS = 12  # steps of growth in today's replicas


@dataclass(frozen=True, slots=True)
class HeadroomCurve:
    """Free addresses per subnet at each count.

    Attributes
    ----------
    what : str
        What is counted: ``nodes of general``, ``pods``.
    rule : str
        How the count grows, in words.
    counts : tuple of int
    subnets : tuple of str
        Names, only of subnets where the count changes something.
    free : tuple of tuple of int
        Per subnet, per count, open to nodes (reservations left out); negative is a shortfall. [addresses]
    exhausted_at : tuple of int or None
        Per subnet the first count at which free is negative, None where it does not come to that.
    now : int or None
        The count of the scenario it starts from.
    """

    what: str
    rule: str
    counts: tuple[int, ...]
    subnets: tuple[str, ...]
    free: tuple[tuple[int, ...], ...]
    exhausted_at: tuple[int | None, ...]
    now: int | None


def headroom_by_nodes(result: CheckResult, group: str, most: int | None = None) -> HeadroomCurve:
    """Free addresses while one group grows from 0 nodes, each filled like its fullest node of ``steady``.

    All else stays as in ``steady``; the group's maximum does not stop it. Without ``most`` the curve runs to
    double the plan's own maximum, or to a quarter beyond the first exhaustion.

    Raises
    ------
    SpecError
        The plan has no such group.
    """
    engine, state = _steady(result)
    index = next((i for i, g in enumerate(result.plan.node_groups) if g.name == group), None)
    if index is None:
        raise SpecError(f"there is no node group {group!r} in the plan")
    mine = state.groups[index]
    free, per_node = {}, {}
    for subnet in state.subnets:
        name = subnet.subnet.name
        touching = [c for c in mine.classes if name in (c.slot.subnet, c.slot.address_subnet)]
        each = max((addresses_in(mine.shape, c, name) for c in touching), default=0)
        if each:
            held = sum(c.count * addresses_in(mine.shape, c, name) for c in touching)
            free[name], per_node[name] = subnet.free_open + held, each

    def nodes_until(name: str) -> int:
        """First count of nodes that does not fit: the count in one subnet never falls as the group grows."""
        low, high = 0, 1
        while engine.nodes_in(index, high, name) * per_node[name] <= free[name]:
            low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            fits = engine.nodes_in(index, middle, name) * per_node[name] <= free[name]
            low, high = (middle, high) if fits else (low, middle)
        return high

    names = tuple(free)
    ends = {n: 0 if free[n] < 0 else nodes_until(n) for n in names}
    plan_max = result.plan.node_groups[index].max_nodes or 0
    end = most or max(min(ends.values(), default=0) * 5 // 4 + 1, 2 * max(mine.nodes, 1), plan_max)
    counts = _counts(end, [e for e in ends.values() if e <= end])
    rows = tuple(tuple(free[s] - engine.nodes_in(index, n, s) * per_node[s] for n in counts) for s in names)
    return HeadroomCurve(
        what=f"nodes of {group}",
        rule="each as full as the fullest of steady",
        counts=counts,
        subnets=names,
        free=rows,
        exhausted_at=tuple(ends[s] if ends[s] <= end else None for s in names),
        now=mine.nodes,
    )


def headroom_by_pods(result: CheckResult, most_factor: float = 4.0) -> HeadroomCurve:
    """Free addresses while all workloads grow alike and the node groups follow, past their maxima if need be.

    The count is the pods of all workloads; ``exhausted_at`` is exact to one step of the curve.

    Raises
    ------
    SpecError
        The plan has no workloads.
    """
    engine, _ = _steady(result)
    base = steady(result.plan)
    now = sum(base.replicas)
    if not now:
        raise SpecError("the plan has no replicas to grow")
    parts = range(PARTS // 4, int(PARTS * most_factor) + 1)
    replicas = list(dict.fromkeys(tuple(ceil_div(r * k, PARTS) for r in base.replicas) for k in parts))
    states = [engine.run(_following(base, wanted)) for wanted in replicas]
    counts = tuple(sum(r) for r in replicas)
    columns = list(zip(*([s.free_open for s in state.subnets] for state in states), strict=True))
    moved = [i for i, row in enumerate(columns) if any(a != b for a, b in pairwise(row))]
    return HeadroomCurve(
        what="pods",
        rule="all workloads grow alike, node groups follow past their maxima",
        counts=counts,
        subnets=tuple(states[0].subnets[i].subnet.name for i in moved),
        free=tuple(tuple(columns[i]) for i in moved),
        exhausted_at=tuple(next((n for n, f in zip(counts, columns[i], strict=True) if f < 0), None) for i in moved),
        now=now,
    )


def _following(base: Demand, replicas: Sequence[int]) -> Demand:
    """The demand of ``base`` with other replicas, for which every group may grow without limit."""
    free = (None,) * len(base.nodes)
    # The engine remembers fleets by the name of their demand.
    return replace(base, name=f"{sum(replicas)} pods", nodes=free, ceiling=free, replicas=tuple(replicas))


def _steady(result: CheckResult) -> tuple[Engine, ScenarioState]:
    engine = Engine(result.plan, result.shapes)
    found = next((s for s in result.scenarios if s.name == "steady"), None)
    return engine, found or engine.run(steady(result.plan))


def _counts(end: int, marks: Sequence[int]) -> tuple[int, ...]:
    """0 to ``end`` in even steps of whole nodes, with the counts where a subnet is full."""
    step = max(ceil_div(end, MOST_STEPS), 1)
    return tuple(sorted({*range(0, end + 1, step), end, *marks}))


def addresses_in(shape: GroupShape, nodes: NodeClass, subnet: str) -> int:
    """What one node of a class takes of a subnet: its own addresses, its pods', or both. [addresses]"""
    own = shape.node_addresses if nodes.slot.subnet == subnet else 0
    pods = shape.first.demand(nodes.vpc_pods) + nodes.branch_pods if nodes.slot.address_subnet == subnet else 0
    return own + pods
