"""Computes the free addresses of every subnet for a growing count of nodes or pods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from math import ceil
from typing import NamedTuple

from capacity.cluster.booking import expected_use, held_by_others
from capacity.cluster.check import CheckResult, check_result
from capacity.cluster.demand import Demand, steady
from capacity.cluster.engine import Engine
from capacity.cluster.node_state import EMPTY
from capacity.cluster.scenario import NodeClass, ScenarioState
from capacity.cluster.shape import GroupShape
from capacity.errors import SpecError, check_count, did_you_mean
from capacity.units import ceil_div

MOST_STEPS = 60  # points of a curve
MOST_LOOKED_AT = 10_000  # counts of nodes tried one by one
FARTHEST = 10**7  # most nodes of a curve
MOST_FACTOR, MOST_PARTS = 1_000, 1_000  # each point is a run of the engine
PARTS = 12  # steps of growth in today's replicas


class HeadroomCurve(NamedTuple):
    """Free addresses per subnet at each count.

    Attributes
    ----------
    what : str
        The counted thing: ``nodes of general``, ``pods``.
    rule : str
        How the count grows, in words.
    counts : tuple of int
    subnets : tuple of str
        Names of the subnets that the count affects.
    free : tuple of tuple of int
        Per subnet, per count, open to nodes (reservations left out); negative is a shortfall. [addresses]
    exhausted_at : tuple of int or None
        Per subnet the first count at which free is negative; None if there is none.
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

    def __repr__(self) -> str:
        ends = f"{self.counts[0]:,} to {self.counts[-1]:,}" if self.counts else "none"
        return f"<HeadroomCurve of {self.what}: {ends}, {len(self.subnets)} subnets>"


def headroom_by_nodes(result: CheckResult, group: str, most: int | None = None) -> HeadroomCurve:
    """Free addresses while one group grows from 0 nodes, each filled like its fullest node of ``steady``.

    Everything else stays as in ``steady``; the group's maximum does not apply. Without ``most`` the curve runs to
    double the plan's own maximum, or to a quarter beyond the first exhaustion.

    Raises
    ------
    SpecError
        The plan has no such group.
    """
    check_result(result)
    if most is not None:
        check_count("most", most, 1, "nodes")
    engine, state = _steady(result)
    index = next((i for i, g in enumerate(result.plan.node_groups) if g.name == group), None)
    if index is None:
        hint = did_you_mean(group, result.plan.group_names)
        raise SpecError(f"there is no node group {group!r} in the plan{hint}")
    mine = state.groups[index]
    takes = Takes(engine, state, index)
    free = {s.subnet.name: s.free_open + takes.now(s.subnet.name) for s in state.subnets if takes.any(s.subnet.name)}

    names = tuple(free)
    ends = {n: 0 if free[n] < 0 else takes.first_beyond(n, free[n], FARTHEST) for n in names}
    plan_max = result.plan.node_groups[index].max_nodes or 0
    first = min((e for e in ends.values() if e is not None), default=0)
    end = most or max(first * 5 // 4 + 1, 2 * max(mine.nodes, 1), plan_max)
    counts = _counts(end, [e for e in ends.values() if e is not None and e <= end])
    rows = tuple(tuple(free[s] - takes.at(s, n) for n in counts) for s in names)
    return HeadroomCurve(
        what=f"nodes of {group}",
        rule="each filled like the fullest node of steady",
        counts=counts,
        subnets=names,
        free=rows,
        exhausted_at=tuple(e if e is not None and e <= end else None for e in ends.values()),
        now=mine.nodes,
    )


def headroom_by_pods(result: CheckResult, most_factor: int = 4, parts: int = PARTS) -> HeadroomCurve:
    """Free addresses while all workloads grow by the same factor and the node groups follow, beyond their maxima if
    necessary.

    The count is the pods of all workloads; ``exhausted_at`` is exact to one step of the curve.

    Parameters
    ----------
    most_factor : int
        The curve ends at this multiple of the current replicas.
    parts : int
        Steps between one multiple and the next, at least 4.

    Raises
    ------
    SpecError
        The plan has no workloads.
    """
    check_result(result)
    check_count("most_factor", most_factor, 1, most=MOST_FACTOR)
    check_count("parts", parts, 4, most=MOST_PARTS)
    engine, state = _steady(result)
    nodes = tuple(g.nodes for g in state.groups)
    base = steady(result.plan, result.shapes)
    now = sum(base.replicas)
    if not now:
        raise SpecError("the plan has no replicas that can grow")
    steps = range(parts // 4, parts * most_factor + 1)
    replicas = list(dict.fromkeys(tuple(ceil_div(r * k, parts) for r in base.replicas) for k in steps))
    states = [engine.run(_following(base, nodes, wanted)) for wanted in replicas]
    counts = tuple(sum(r) for r in replicas)
    columns = list(zip(*([s.free_open for s in state.subnets] for state in states), strict=True))
    moved = [i for i, row in enumerate(columns) if any(a != b for a, b in pairwise(row))]
    return HeadroomCurve(
        what="pods",
        rule="all workloads grow by the same factor, node groups follow beyond their maxima",
        counts=counts,
        subnets=tuple(states[0].subnets[i].subnet.name for i in moved),
        free=tuple(tuple(columns[i]) for i in moved),
        exhausted_at=tuple(next((n for n, f in zip(counts, columns[i], strict=True) if f < 0), None) for i in moved),
        now=now,
    )


def _following(base: Demand, nodes: Sequence[int], replicas: Sequence[int]) -> Demand:
    """The demand of ``base`` with other replicas, starting from given nodes of each group, without a node limit."""
    free: tuple[int | None, ...] = (None,) * len(nodes)
    name = f"{sum(replicas)} pods"  # the engine caches fleets by the name of their demand
    if sum(replicas) >= sum(base.replicas):
        return base._replace(name=name, nodes=free, floor=tuple(nodes), ceiling=free, replicas=tuple(replicas))
    least = tuple(low if n is None else n for n, low in zip(base.nodes, base.floor, strict=True))
    return base._replace(name=name, nodes=free, floor=least, ceiling=tuple(nodes), replicas=tuple(replicas))


def _steady(result: CheckResult) -> tuple[Engine, ScenarioState]:
    engine = Engine(result.plan, result.shapes)
    found = next((s for s in result.scenarios if s.name == "steady"), None)
    return engine, found or engine.at_rest("steady")


def _counts(end: int, marks: Sequence[int]) -> tuple[int, ...]:
    """The counts from 0 to ``end`` in even steps, plus the counts at which a subnet is full."""
    step = max(ceil_div(end, MOST_STEPS), 1)
    return tuple(sorted({*range(0, end + 1, step), end, *marks}))


class Takes:
    """The addresses that a group uses in each subnet at any node count, each node filled like its fullest in a
    scenario.

    If discovery places additional ENIs, all nodes are counted again for each count; otherwise nodes × addresses of one.
    """

    def __init__(self, engine: Engine, state: ScenarioState, index: int) -> None:
        self._engine, self._state, self._index = engine, state, index
        self._group = state.groups[index]
        self._roams = bool(self._group.shape.choices)
        self._booked: dict[tuple[str, int], dict[str, int]] = {}
        self._per_node: dict[str, int] = {}

    def any(self, subnet: str) -> bool:
        """Whether nodes of the group have addresses there."""
        return bool(self.per_node(subnet))

    def per_node(self, subnet: str) -> int:
        """The most addresses of one node there; if discovery places ENIs, all its addresses anywhere. [addresses]"""
        known = self._per_node.get(subnet)
        if known is None:
            each = all_addresses if self._roams else addresses_in
            found = (each(self._group.shape, c, subnet) for c in self._group.classes)
            known = self._per_node[subnet] = max(found, default=0)
        return known

    def now(self, subnet: str) -> int:
        """The addresses that the group holds there in the scenario. [addresses]"""
        if self._roams:
            used = next(s.used_total for s in self._state.subnets if s.subnet.name == subnet)
            return used - self._use(subnet, 0)
        return sum(c.count * addresses_in(self._group.shape, c, subnet) for c in self._group.classes)

    def at(self, subnet: str, nodes: int) -> int:
        """The addresses that it uses there with a number of nodes. [addresses]"""
        if self._roams:
            return self._use(subnet, nodes) - self._use(subnet, 0)
        return self._engine.nodes_in(self._index, nodes, subnet) * self.per_node(subnet)

    def first_beyond(self, subnet: str, room: int, most: int) -> int | None:
        """The first node count up to ``most`` that does not fit in a subnet; None if all fit.

        Notes
        -----
        By bisection, because the use of a subnet rarely falls while the group grows. With largest remainders it can: a
        zone's share may shrink by one node when another zone's grows by two. It stays between its quota rounded down
        and up, so an earlier such count is less than one node of the zone away.
        """
        low, high = 0, 1
        while high <= most and self.at(subnet, high) <= room:
            low, high = high, 2 * high
        high = min(high, most)
        if high <= low or self.at(subnet, high) <= room:
            return None
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.at(subnet, middle) <= room else (low, middle)
        return next((n for n in range(max(high - self._window(subnet), 1), high) if self.at(subnet, n) > room), high)

    def _window(self, subnet: str) -> int:
        """Nodes of the group per additional node in the subnet's zone, if they are spread by weight. [nodes]"""
        spread = self._group.shape.group.spread
        if isinstance(spread, str):
            return 0
        weight = spread[self._engine.subnets[subnet].zone]
        return min(ceil(sum(spread.values()) / weight), MOST_LOOKED_AT) if weight else 0

    def _use(self, subnet: str, nodes: int) -> int:
        """Addresses used in a subnet by all holders with a number of nodes of the group."""
        worst = self._group.shape.group.spread == "worst"
        zone = self._engine.subnets[subnet].zone if worst else ""
        if (zone, nodes) not in self._booked:
            places = self._engine.places(self._index, nodes, zone) if nodes else []
            vpc, branch = self._group.fullest
            classes = tuple(NodeClass(slot, count, 0, vpc, branch, EMPTY) for slot, count in places)
            groups = list(self._state.groups)
            groups[self._index] = replace(self._group, classes=classes)
            others = held_by_others(self._state.subnets)
            self._booked[zone, nodes] = expected_use(self._engine.subnets, groups, others)
        return self._booked[zone, nodes][subnet]


def addresses_in(shape: GroupShape, nodes: NodeClass, subnet: str) -> int:
    """Addresses of one node of a class in a subnet: its own, those of its pods, or both. [addresses]"""
    own = shape.node_addresses if nodes.slot.subnet == subnet else 0
    pods = shape.first.demand(nodes.vpc_pods) + nodes.branch_pods if nodes.slot.address_subnet == subnet else 0
    return own + pods


def all_addresses(shape: GroupShape, nodes: NodeClass, subnet: str) -> int:
    """Total addresses of one node of a class; 0 if none can be in the subnet. [addresses]"""
    if subnet not in nodes.slot.subnets:
        return 0
    return shape.node_addresses + shape.first.demand(nodes.vpc_pods) + nodes.branch_pods


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
