"""Computes the runway of each subnet beyond a scenario: additional nodes and additional pods."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from math import floor, gcd
from typing import NamedTuple

from capacity.cluster.further_enis import emptiest_first
from capacity.cluster.scenario import GroupState, NodeClass, ScenarioState
from capacity.cluster.shape import GroupShape
from capacity.cluster.spread import Slot, even_shares

EXACT_STEPS = 4_000_000  # table entries up to which the best filling is computed exactly


Steps = tuple[tuple[int, int], ...]  # of one node: (addresses, pods), both increasing


class Runway(NamedTuple):
    """Room left in one subnet; None if no node is there.

    Attributes
    ----------
    more_nodes : int or None
        Additional nodes of the group that uses the most addresses there, filled like its fullest node; also None if
        nodes use no addresses there (MAX_ENI=1 under custom networking). [nodes]
    more_pods : int or None
        Most additional pods on VPC addresses before free < 0: existing nodes are filled first, then nodes of any group
        there are added. [pods]
    node_addresses : int or None
        Addresses of one such node in the subnet. [addresses]
    group : str or None
        The group of that node.
    pool : tuple of str
        Subnets of the zone over which discovery spreads the additional ENIs of nodes here: ``more_nodes`` of them fit
        one after the other, and ``more_pods`` is an upper bound over all these subnets together, without homes closed
        to pods.
    """

    subnet: str
    more_nodes: int | None
    more_pods: int | None
    node_addresses: int | None
    group: str | None
    pool: tuple[str, ...] = ()


def runways(state: ScenarioState) -> tuple[Runway, ...]:
    """One row per subnet, in the order of the plan."""
    homes: dict[str, list[tuple[GroupState, NodeClass]]] = {}
    pods: dict[str, list[tuple[GroupState, NodeClass]]] = {}
    roaming: dict[str, list[tuple[GroupState, NodeClass]]] = {}  # by zone
    pools: dict[str, dict[str, None]] = {}
    for group in state.groups:
        for node_class in group.classes:
            slot = node_class.slot
            if slot.choices:
                roaming.setdefault(slot.zone, []).append((group, node_class))
                pools.setdefault(slot.zone, {}).update(dict.fromkeys(slot.subnets))
            homes.setdefault(slot.subnet, []).append((group, node_class))
            pods.setdefault(slot.address_subnet, []).append((group, node_class))
    free = {s.subnet.name: s.free_open for s in state.subnets}
    together = {zone: _pods_in_pool(free, roaming[zone]) for zone in pools}
    found = []
    for s in state.subnets:
        name, zone = s.subnet.name, s.subnet.zone
        if name in pools.get(zone, ()):
            found.append(pool_runway(name, free, roaming[zone], tuple(pools[zone]), together[zone]))
        else:
            found.append(_runway(name, s.free_open, homes.get(name, []), pods.get(name, [])))
    return tuple(found)


def shared_pools(runway: Sequence[Runway]) -> list[tuple[str, ...]]:
    """Sets of subnets whose rows show combined room, each set once."""
    return list(dict.fromkeys(row.pool for row in runway if len(row.pool) > 1))


def pool_runway(
    name: str,
    free: Mapping[str, int],
    nodes: Sequence[tuple[GroupState, NodeClass]],
    pool: tuple[str, ...],
    more_pods: int,
) -> Runway:
    """The runway of a subnet that is in a pool: discovery spreads ENIs over it and others of its zone.

    ``more_pods`` is the value of the whole pool. [pods]
    """
    mine = [(g, c.slot) for g, c in nodes if name in c.slot.subnets]
    group, _ = max(mine, key=lambda m: m[0].full_node(at_home=True, with_pods=True))
    slots = list(dict.fromkeys(slot for g, slot in mine if g is group))
    slots = [slot for slot in slots if slot.subnet == name] or slots
    need = group.full_node(at_home=True, with_pods=True)
    most = sum(max(free[n], 0) for n in pool) // need
    low, high = 0, most + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _room_for(group, slots, middle, free) else (low, middle)
    return Runway(name, low, more_pods, need, group.shape.group.name, pool)


def _room_for(group: GroupState, slots: Sequence[Slot], nodes: int, free: Mapping[str, int]) -> bool:
    """Whether a number of additional nodes, evenly over the slots and filled like the group's fullest, get their
    addresses.
    """
    vpc_pods, branch = group.fullest
    first = group.shape.first
    left = dict(free)
    touched = set()
    shares = even_shares(nodes, len(slots))
    for slot, count in zip(slots, shares, strict=True):
        left[slot.subnet] -= count * (group.shape.node_addresses + first.demand_at_home(vpc_pods) + branch)
        touched |= {slot.subnet} if count else set()
    for slot, count in zip(slots, shares, strict=True):
        for secondary, each in Counter(first.further_enis(vpc_pods)).items():
            size = 1 + secondary * first.unit
            got = emptiest_first([left[n] for n in slot.choices], size, count * each)
            for name, enis in zip(slot.choices, got, strict=True):
                left[name] -= enis * size
                touched |= {name} if enis else set()
    return all(left[name] >= 0 for name in touched)


def _pods_in_pool(free: Mapping[str, int], nodes: Sequence[tuple[GroupState, NodeClass]]) -> int:
    """Most additional pods that the subnets of a pool have addresses for; new nodes also need room in their home
    subnet.

    A home closed to pods is not a choice of its nodes: its free addresses serve no pod.
    """
    places = dict.fromkeys(name for _, c in nodes for name in c.slot.choices)
    if any(free[name] < 0 for name in places):
        return 0
    filled, left = _fill_nodes(nodes, sum(free[name] for name in places))
    if left is None:
        return filled
    homes: dict[str, int] = {}
    kinds: dict[tuple[int, bool], tuple[GroupShape, bool]] = {}
    for group, c in nodes:
        shape, home = group.shape, c.slot.subnet
        least = shape.node_addresses + shape.first.home_table[0]
        room = max(free[home], 0) // least * shape.first.most_workload_pods
        homes[home] = max(homes.get(home, 0), room)
        if room:
            kinds[id(shape), home in c.slot.choices] = (shape, home in c.slot.choices)
    return filled + min(_on_new_nodes(left, list(kinds.values())), sum(homes.values()))


def _runway(
    name: str, free: int, homes: Sequence[tuple[GroupState, NodeClass]], pods: Sequence[tuple[GroupState, NodeClass]]
) -> Runway:
    groups = {id(g): g for g, _ in (*homes, *pods)}
    if not groups:
        return Runway(name, None, None, None, None)
    at_home = {id(g) for g, _ in homes}
    with_pods = {id(g) for g, _ in pods}
    needs = {i: g.full_node(at_home=i in at_home, with_pods=i in with_pods) for i, g in groups.items()}
    hungriest = max(needs, key=lambda i: needs[i])
    need = needs[hungriest]
    more_nodes = max(free // need, 0) if need else None
    owners = [(groups[i], i in at_home) for i in groups if i in with_pods]
    return Runway(name, more_nodes, _more_pods(free, pods, owners), need, groups[hungriest].shape.group.name)


def _more_pods(
    free: int, pods: Sequence[tuple[GroupState, NodeClass]], owners: Sequence[tuple[GroupState, bool]]
) -> int | None:
    if not owners:
        return None
    if free < 0:
        return 0
    filled, left = _fill_nodes(pods, free)
    return filled if left is None else filled + _on_new_nodes(left, [(g.shape, at_home) for g, at_home in owners])


def _fill_nodes(nodes: Sequence[tuple[GroupState, NodeClass]], budget: int) -> tuple[int, int | None]:
    """Most additional pods on existing nodes, and the addresses left; None if the addresses cannot fill these nodes."""
    steps = Counter[Steps]()
    for group, c in nodes:
        steps[_steps_of(group.shape, c)] += c.count
    cost = sum(n * s[-1][0] for s, n in steps.items())
    if cost > budget:
        return fill(steps, budget), None
    return sum(n * s[-1][1] for s, n in steps.items()), budget - cost


def _steps_of(shape: GroupShape, c: NodeClass) -> Steps:
    """Additional (addresses, pods) of a node of a class, one step per cost."""
    first = shape.first
    table = first.demand_table
    now = min(c.vpc_pods - first.daemon_pods, len(table) - 1)
    most = min(len(table) - 1, now + first.max_pods - c.pods)
    return cost_steps(tuple(table[q] - table[now] for q in range(now, max(most, now) + 1)))


def cost_steps(costs: tuple[int, ...]) -> Steps:
    """The most pods for each cost, from costs of 0, 1, … pods.

    >>> cost_steps((0, 0, 10, 10, 10, 20))
    ((0, 1), (10, 4), (20, 5))
    """
    best = {cost: pods for pods, cost in enumerate(costs)}
    return tuple(sorted(best.items()))


def fill(steps: Counter[Steps], budget: int) -> int:
    """Most pods that the nodes can run together within a budget of addresses.

    Each node picks one of its steps. The best ratio first bounds the sum and usually reaches the bound; otherwise it is
    solved exactly by dynamic programming over the budget, in units of the common divisor of all costs (whole ENIs in
    the default mode). If that would take too long, the best ratio is used.
    """
    coin = gcd(*(cost for options in steps for cost, _ in options)) or 1
    coins = Counter({tuple((cost // coin, pods) for cost, pods in options): n for options, n in steps.items()})
    budget //= coin
    reached, bound = _fill_by_ratio(coins, budget)
    work = sum(n * len(s) for s, n in coins.items()) * (budget + 1)
    return reached if reached == bound or work > EXACT_STEPS else _fill_exactly(coins, budget)


def _fill_exactly(steps: Counter[Steps], budget: int) -> int:
    best = [0] * (budget + 1)  # most pods with each sum of addresses
    for options, count in steps.items():
        for _ in range(count):
            following = [n + options[0][1] for n in best]  # the first step costs nothing
            for cost, pods in options[1:]:
                if cost <= budget:
                    following[cost:] = map(max, following[cost:], [n + pods for n in best[: budget + 1 - cost]])
            best = following
    return best[budget]


def _fill_by_ratio(steps: Counter[Steps], budget: int) -> tuple[int, int]:
    """Greedy fill over hull segments: the most pods per address first, then any single step that still fits.

    Also returns a bound, with the first segment that does not fit counted in part.
    """
    pods = sum(n * s[0][1] for s, n in steps.items())
    bound = None
    moves = []
    for options, count in steps.items():
        for (c0, p0), (c1, p1) in zip(hull := _hull(options), hull[1:], strict=False):
            moves.append((Fraction(p1 - p0, c1 - c0), c1 - c0, p1 - p0, count, options, c0, p0))
    for ratio, cost, gain, count, options, c0, p0 in sorted(moves, key=lambda m: (-m[0], m[1])):
        times = min(count, budget // cost)
        if times < count and bound is None:
            bound = pods + floor(budget * ratio)
        pods += times * gain
        budget -= times * cost
        if times < count:
            c, p = max((o for o in options if o[0] - c0 <= budget), key=lambda o: o[1], default=(c0, p0))
            if p > p0:
                pods += p - p0
                budget -= max(c - c0, 0)
    return pods, pods if bound is None else bound


def _hull(options: Steps) -> list[tuple[int, int]]:
    hull: list[tuple[int, int]] = []
    for x, y in options:
        while len(hull) > 1 and (hull[-1][1] - hull[-2][1]) * (x - hull[-2][0]) <= (y - hull[-2][1]) * (
            hull[-1][0] - hull[-2][0]
        ):
            hull.pop()
        hull.append((x, y))
    return hull


def _on_new_nodes(free: int, kinds: Sequence[tuple[GroupShape, bool]]) -> int:
    """Most workload pods that new nodes of some groups can add within ``free`` addresses.

    Each kind also tells whether the nodes' own addresses count.
    """
    tables = []
    for shape, at_home in kinds:
        own = shape.node_addresses if at_home else 0
        tables.append(tuple(own + v for v in shape.first.demand_table))
    return pods_on_new_nodes(tables, free)


def pods_on_new_nodes(tables: Sequence[tuple[int, ...]], budget: int) -> int:
    """Most pods on any number of new nodes of any kinds, each filled optimally.

    Parameters
    ----------
    tables : sequence of tuple of int
        For each kind the addresses of a whole new node with 0, 1, … pods, never falling. [addresses]

    Notes
    -----
    Starts with nodes of the step with the most pods per address; :func:`_best_fillings` computes once what other steps
    can add. Full nodes are not always best: of 66 addresses, two nodes of 33 with 15 pods each are better than one of
    49 with 26.

    >>> pods_on_new_nodes([(33,) * 16 + (49,) * 11], 66)
    30
    >>> pods_on_new_nodes([(30,) * 28, (18,) * 16], 52)  # one of each; two of the first would need 60
    42
    """
    steps = _useful(tuple(step for table in dict.fromkeys(tables) for step in cost_steps(table) if all(step)))
    if not steps:
        return 0  # such nodes cannot address a single pod
    coin = gcd(*(cost for cost, _ in steps))
    budget //= coin
    (cost, pods), best = _best_fillings(tuple((c // coin, p) for c, p in steps), _power_above(budget))
    nodes = max(-(-(budget - len(best) + 1) // cost), 0)
    return nodes * pods + best[budget - nodes * cost]


def _power_above(budget: int) -> int:
    """The next power of two, so that subnets of similar size share the result."""
    return 1 << max(budget, 1).bit_length()


@lru_cache(maxsize=2000)
def _useful(steps: Steps) -> Steps:
    """Steps that no combination of others dominates with as many pods at no more addresses."""
    useful: list[tuple[int, int]] = []
    best = [0] * (max((cost for cost, _ in steps), default=0) + 1)
    most = {cost: max(p for c, p in steps if c == cost) for cost, _ in steps}
    for budget in range(1, len(best)):
        best[budget] = max([best[budget - 1], *(best[budget - c] + p for c, p in useful)])
        if most.get(budget, 0) > best[budget]:
            best[budget] = most[budget]
            useful.append((budget, most[budget]))
    return tuple(useful)


@lru_cache(maxsize=2000)
def _best_fillings(steps: Steps, enough: int) -> tuple[tuple[int, int], tuple[int, ...]]:
    """The step with the most pods per address, and the most pods for each budget up to the point where only this step
    repeats.

    Among as many nodes of other steps as that step has addresses, some have a total cost that is a multiple of it and
    can be replaced by it without loss: a larger budget only adds nodes of that step. Computes at most ``enough``.
    """
    unit = max(steps, key=lambda s: (Fraction(s[1], s[0]), -s[0]))
    most = min(unit[0] * (max(cost for cost, _ in steps) + 1), enough)
    most = max(min(most, EXACT_STEPS // len(steps)), unit[0])
    best = [0] * (most + 1)
    for budget in range(steps[0][0], most + 1):
        best[budget] = max([best[budget - cost] + pods for cost, pods in steps if cost <= budget])
    return unit, tuple(best)
