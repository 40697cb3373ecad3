"""How far each subnet reaches beyond a scenario: further nodes, and further pods."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import gcd

from capacity.cluster.scenario import GroupState, NodeClass, ScenarioState
from capacity.cluster.shape import GroupShape

EXACT_STEPS = 200_000  # table entries up to which the best filling is worked out instead of approached


@dataclass(frozen=True, slots=True)
class Runway:
    """Room left in one subnet, None where no node lives there.

    Attributes
    ----------
    more_nodes : int or None
        Further nodes of the group that takes most there, filled like its fullest node; None also where
        nodes take nothing there (MAX_ENI=1 under custom networking). [nodes]
    more_pods : int or None
        Most further pods on VPC addresses before free < 0: nodes there filled first, then nodes added. [pods]
    node_addresses : int or None
        What one such node takes of the subnet. [addresses]
    group : str or None
        The group of such a node.
    """

    subnet: str
    more_nodes: int | None
    more_pods: int | None
    node_addresses: int | None
    group: str | None


def runways(state: ScenarioState) -> tuple[Runway, ...]:
    """One row per subnet, in the order of the plan."""
    homes: dict[str, list[tuple[GroupState, NodeClass]]] = {}
    pods: dict[str, list[tuple[GroupState, NodeClass]]] = {}
    for group in state.groups:
        for node_class in group.classes:
            homes.setdefault(node_class.slot.subnet, []).append((group, node_class))
            pods.setdefault(node_class.slot.address_subnet, []).append((group, node_class))
    return tuple(
        _runway(s.subnet.name, s.free_open, homes.get(s.subnet.name, []), pods.get(s.subnet.name, []))
        for s in state.subnets
    )


def _runway(
    name: str, free: int, homes: Sequence[tuple[GroupState, NodeClass]], pods: Sequence[tuple[GroupState, NodeClass]]
) -> Runway:
    groups = {id(g): g for g, _ in (*homes, *pods)}
    if not groups:
        return Runway(name, None, None, None, None)
    at_home = {id(g) for g, _ in homes}
    with_pods = {id(g) for g, _ in pods}
    needs = {i: _full_node(g, i in at_home, i in with_pods) for i, g in groups.items()}
    hungriest = max(needs, key=lambda i: needs[i])
    need = needs[hungriest]
    more_nodes = max(free // need, 0) if need else None
    owners = [(groups[i], i in at_home) for i in groups if i in with_pods]
    return Runway(name, more_nodes, _more_pods(free, pods, owners), need, groups[hungriest].shape.group.name)


def _full_node(group: GroupState, at_home: bool, with_pods: bool) -> int:
    """Addresses one more node of a group takes in the subnet, filled like the group's fullest node."""
    vpc_pods, branch = group.fullest
    own = group.shape.node_addresses if at_home else 0
    return own + (group.shape.first.demand(vpc_pods) + branch if with_pods else 0)


def _more_pods(
    free: int, pods: Sequence[tuple[GroupState, NodeClass]], owners: Sequence[tuple[GroupState, bool]]
) -> int | None:
    if not owners:
        return None
    if free < 0:
        return 0
    steps = Counter[tuple[tuple[int, int], ...]]()
    for group, c in pods:
        steps[_steps_of(group.shape, c)] += c.count
    cost = sum(n * s[-1][0] for s, n in steps.items())
    if cost > free:
        return fill(steps, free)
    filled = sum(n * s[-1][1] for s, n in steps.items())
    return filled + max(_on_new_nodes(free - cost, g.shape, at_home) for g, at_home in owners)


def _steps_of(shape: GroupShape, c: NodeClass) -> tuple[tuple[int, int], ...]:
    """Further (addresses, pods) that a node of a class can take, one step per cost."""
    first = shape.first
    table = first.demand_table
    now = min(c.vpc_pods - first.daemon_pods, len(table) - 1)
    most = min(len(table) - 1, now + first.max_pods - c.pods)
    return cost_steps(tuple(table[q] - table[now] for q in range(now, max(most, now) + 1)))


def cost_steps(costs: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    """The most pods for each cost, from costs of 0, 1, … pods.

    >>> cost_steps((0, 0, 10, 10, 10, 20))
    ((0, 1), (10, 4), (20, 5))
    """
    best = {cost: pods for pods, cost in enumerate(costs)}
    return tuple(sorted(best.items()))


def fill(steps: Counter[tuple[tuple[int, int], ...]], budget: int) -> int:
    """Most pods that the nodes can take together within a budget of addresses.

    Each node picks one of its steps. Solved exactly by dynamic programming over the budget, counted
    in what all costs are multiples of (whole ENIs in the default mode); where that would take long,
    by the best ratio first, which on nodes of one shape is the same.
    """
    coin = gcd(*(cost for options in steps for cost, _ in options)) or 1
    coins = Counter({tuple((cost // coin, pods) for cost, pods in options): n for options, n in steps.items()})
    budget //= coin
    work = sum(n * len(s) for s, n in coins.items()) * (budget + 1)
    return _fill_exactly(coins, budget) if work <= EXACT_STEPS else _fill_by_ratio(coins, budget)


def _fill_exactly(steps: Counter[tuple[tuple[int, int], ...]], budget: int) -> int:
    best = [0] * (budget + 1)
    for options, count in steps.items():
        for _ in range(count):
            best = [max(best[b - cost] + pods for cost, pods in options if cost <= b) for b in range(budget + 1)]
    return best[budget]


def _fill_by_ratio(steps: Counter[tuple[tuple[int, int], ...]], budget: int) -> int:
    """Greedy over hull segments: the most pods per address first, then whatever single step still fits."""
    pods = sum(n * s[0][1] for s, n in steps.items())
    moves = []
    for options, count in steps.items():
        for (c0, p0), (c1, p1) in zip(hull := _hull(options), hull[1:], strict=False):
            moves.append(((p1 - p0) / (c1 - c0), c1 - c0, p1 - p0, count, options, c0, p0))
    for _, cost, gain, count, options, c0, p0 in sorted(moves, key=lambda m: (-m[0], m[1])):
        times = min(count, budget // cost)
        pods += times * gain
        budget -= times * cost
        if times < count:
            c, p = max((o for o in options if o[0] - c0 <= budget), key=lambda o: o[1], default=(c0, p0))
            if p > p0:
                pods += p - p0
                budget -= max(c - c0, 0)
    return pods


def _hull(options: tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
    hull: list[tuple[int, int]] = []
    for x, y in options:
        while len(hull) > 1 and (hull[-1][1] - hull[-2][1]) * (x - hull[-2][0]) <= (y - hull[-2][1]) * (
            hull[-1][0] - hull[-2][0]
        ):
            hull.pop()
        hull.append((x, y))
    return hull


def _on_new_nodes(free: int, shape: GroupShape, at_home: bool) -> int:
    """Most workload pods that new nodes of a group can add within ``free`` addresses."""
    own = shape.node_addresses if at_home else 0
    return pods_on_new_nodes(tuple(own + v for v in shape.first.demand_table), free)


def pods_on_new_nodes(costs: tuple[int, ...], budget: int) -> int:
    """Most pods on any number of new nodes, each filled as far as is best.

    Parameters
    ----------
    costs : tuple of int
        Addresses of a whole new node with 0, 1, … pods, never falling. [addresses]

    Notes
    -----
    Nodes of the step with the most pods per address first; what any other steps can add to them shows
    within a budget that :func:`_best_fillings` works out once. Full nodes are not always best: of 66
    addresses, two nodes of 33 with 15 pods each make more of them than one of 49 with 26.

    >>> pods_on_new_nodes((33,) * 16 + (49,) * 11, 66)
    30
    """
    steps = tuple((cost, pods) for cost, pods in cost_steps(costs) if pods)
    if not steps or not steps[0][0]:
        return 0  # such nodes cannot address a single pod
    coin = gcd(*(cost for cost, _ in steps))
    (cost, pods), best = _best_fillings(tuple((c // coin, p) for c, p in steps))
    budget //= coin
    nodes = max(-(-(budget - len(best) + 1) // cost), 0)
    return nodes * pods + best[budget - nodes * cost]


@lru_cache(maxsize=2000)
def _best_fillings(steps: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], tuple[int, ...]]:
    """The step with the most pods per address, and the most pods for each budget up to where only it repeats.

    Of as many nodes of other steps as that step has addresses, some together cost a multiple of it and
    can be exchanged for it without loss: a larger budget only adds nodes of that step.
    """
    unit = max(steps, key=lambda s: (Fraction(s[1], s[0]), -s[0]))
    most = max(min(unit[0] * (steps[-1][0] + 1), EXACT_STEPS // len(steps)), unit[0])
    best = [0] * (most + 1)
    for budget in range(steps[0][0], most + 1):
        best[budget] = max(best[budget - cost] + pods for cost, pods in steps if cost <= budget)
    return unit, tuple(best)
