"""Try divisions of the workloads over node groups, cheapest first, until ``check`` says ok."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from capacity.cluster.group_nodes import GroupNodes
from capacity.cluster.place import Placement
from capacity.optimize.buy import Buying, Division, Purchase, purchase
from capacity.optimize.choices import Choices
from capacity.optimize.divide import Blocks, Rules, Sized
from capacity.optimize.market import BuyableType, Market, Pods, holds
from capacity.optimize.pack import Packing

PENALTIES = (0.0, 1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 0.1)  # dollars an hour for an address, to find thriftier mixes
TYPES_COMPARED = 8  # types of which subsets are tried where only a few may be bought
SUBSETS = 60
MIXED = 40  # times that nodes are added to a mix before it is given up


@dataclass(frozen=True)
class Found:
    """The result of a search.

    Attributes
    ----------
    bought : Purchase or None
        None if no division was ok.
    nearest : Purchase or None
        The purchase that is not ok with the fewest addresses.
    tried : tuple of Purchase
        All checked purchases, in order.
    """

    bought: Purchase | None
    nearest: Purchase | None
    tried: tuple[Purchase, ...]


def search(
    buying: Buying, divisions: Sequence[Division], most: int, stopped: Callable[[], bool] = lambda: False
) -> Found:
    """The cheapest purchase that is ok, among the first ``most`` divisions by expected cost."""
    tried: list[Purchase] = []
    best: Purchase | None = None
    for division in divisions[:most]:
        # Stopped, it goes on to the first that is ok: without one it would call a plan infeasible that is not.
        if best is not None and (expected(division, buying.rules) >= best.usd_per_hour - 1e-9 or stopped()):
            break
        found = purchase(buying, division)
        tried.append(found)
        if buying.accepts(found) and (best is None or found.usd_per_hour < best.usd_per_hour - 1e-9):
            best = found
    failed = [p for p in tried if not buying.accepts(p)]
    nearest = min(failed, key=lambda p: (p.addresses, p.usd_per_hour), default=None)
    return Found(best, nearest, tuple(tried))


def expected(division: Division, rules: Rules) -> float:
    """The cost of a division if the check adds no nodes. [USD per hour]"""
    return float(sum(s.candidate.price * rules.weighed(s.now, s.peak) for s in division))


def divisions(buying: Buying, market: Market, choices: Choices, *, limited: bool) -> list[Division]:
    """Divisions with different weights of addresses that are within the choices, cheapest first.

    ``limited``: also mixes with fewer addresses. Without subnets they are seldom cheaper, and take time to find.
    """
    rules = buying.rules
    base = Blocks(market, buying.pods, rules, buying.counted, buying.stopped)
    found: dict[tuple[tuple[tuple[int, ...], str, int, int], ...], Division] = {}
    for penalty in PENALTIES if limited else PENALTIES[:1]:
        if found and not penalty < 1e-3 and buying.stopped():
            break
        blocks = base.under(replace(rules, usd_per_address=penalty))
        for division in _within_types(blocks, choices):
            found.setdefault(tuple(sorted((s.block, s.candidate.name, s.now, s.peak) for s in division)), division)
    every = [*found.values(), *(base.single_types() if limited else ())]
    return ranked(every, rules, choices)


def ranked(found: Iterable[Division], rules: Rules, choices: Choices) -> list[Division]:
    """Divisions within the vCPU quota and the number of types, cheapest first; among equals the one with fewer groups
    first.
    """
    kept = [d for d in found if _allowed(d, choices)]
    return sorted(kept, key=lambda d: (round(expected(d, rules), 9), len(d), [s.candidate.name for s in d]))


def _allowed(division: Division, choices: Choices) -> bool:
    vcpus = sum(s.candidate.vcpus * s.peak for s in division)
    types = len({s.candidate.name for s in division})
    return (
        (choices.vcpu_quota is None or vcpus <= choices.vcpu_quota)
        and (choices.max_types is None or types <= choices.max_types)
        and len(division) <= choices.max_groups
    )


def _within_types(blocks: Blocks, choices: Choices) -> Iterator[Division]:
    """Divisions with at most the allowed number of types: first of all types, then of subsets of the types in use."""
    free = list(blocks.divisions(choices.max_groups))
    yield from free
    most = choices.max_types
    if most is None or not free:
        return
    used = list(dict.fromkeys(s.candidate.name for division in free for s in division))[:TYPES_COMPARED]
    if most < len(used):
        for names in list(combinations(used, most))[:SUBSETS]:
            yield from blocks.under(blocks.rules, frozenset(names)).divisions(choices.max_groups)


def mixed(market: Market, pods: Sequence[Pods], rules: Rules, now: Packing, peak: Packing) -> Division | None:
    """The nodes of the packing as one group per type, open to all pods, with nodes added until the scheduler has room.

    Each step adds the cheapest node that fits an unschedulable pod. None if too many steps are needed.
    """
    if any(p.zoned for p in pods):
        return None  # a mix of few nodes of each type has not every type in every zone
    block = tuple(range(len(pods)))
    packings = (now, peak)
    counts = [_by_type(p) for p in packings]
    # The group with most of the money comes first: where pods may use several groups, the first one grows.
    spent = {k: max(c.get(k, 0) for c in counts) * market.candidates[k].price for c in counts for k in c}
    kinds = sorted(spent, key=lambda k: (-spent[k], k))
    if not kinds:
        return None
    nodes: list[list[int]] = []
    for at_peak, count in enumerate(counts):
        least = [count.get(k, 0) for k in kinds]
        if at_peak:
            least = [max(a, b) for a, b in zip(least, nodes[0], strict=True)] if rules.peak_hours else least
        filled = _filled([market.candidates[k] for k in kinds], least, pods, peak=bool(at_peak))
        if filled is None:
            return None
        nodes.append(filled)
    mix = tuple(
        Sized(block, market.candidates[k], rules.nodes(a), max(rules.nodes(a), rules.nodes(b)), 0.0)
        for k, a, b in zip(kinds, *nodes, strict=True)
    )
    return None if rules.max_nodes is not None and any(s.peak > rules.max_nodes for s in mix) else mix


def _by_type(packing: Packing) -> dict[int, int]:
    count: dict[int, int] = {}
    for pattern in packing.patterns:
        count[pattern.kind] = count.get(pattern.kind, 0) + pattern.nodes
    return count


def _filled(kinds: Sequence[BuyableType], least: list[int], pods: Sequence[Pods], *, peak: bool) -> list[int] | None:
    nodes = list(least)
    everywhere = tuple(range(len(kinds)))
    for _ in range(MIXED):
        placement = Placement([GroupNodes(c.node.room, [n], c.node.start) for c, n in zip(kinds, nodes, strict=True)])
        for i, p in enumerate(pods):
            placement.place(str(i), p.pod, p.count(peak=peak), everywhere)
        if not placement.unplaced:
            return nodes
        for entry in placement.unplaced:
            pod = pods[int(entry.workload)]
            fitting = [k for k in everywhere if holds(kinds[k], pod)]
            if not fitting:
                return None
            nodes[min(fitting, key=lambda k: kinds[k].price)] += max(entry.pods // 40, 1)
    return None
