"""Node groups that are a packing, for a search that was stopped before it found a cheaper answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from capacity.cluster.group_nodes import GroupNodes
from capacity.optimize.buy import Purchase, nodes_of
from capacity.optimize.divide import Rules, Sized
from capacity.optimize.market import Market, Pods
from capacity.optimize.optimized import Packed
from capacity.optimize.pack import Packing
from capacity.optimize.problem import Pattern

BITS = 40  # of the marks of a node, for the number of pods of one workload


def never_dearer(packed: Packed, bought: Purchase, market: Market, pods: Sequence[Pods], rules: Rules) -> Packed:
    """The packing, or the bought groups as a packing if they cost less; the bounds stay.

    Groups that share workloads come from a packing that costs no more than they do, so they are left out. Packings by
    zone are left out too.
    """
    if bought.usd_per_hour >= packed.usd_per_hour - 1e-9 or packed.now.zones:
        return packed
    now = _cheaper(packed.now, bought, market, pods, peak=False)
    peak = now if packed.peak is packed.now else _cheaper(packed.peak, bought, market, pods, peak=True)
    return Packed(now, peak, round(rules.weighed(now.cost, peak.cost), 9), packed.bound)


def _cheaper(packing: Packing, bought: Purchase, market: Market, pods: Sequence[Pods], *, peak: bool) -> Packing:
    numbers = {candidate.name: k for k, candidate in enumerate(market.candidates)}
    state = bought.peak if peak else bought.steady
    patterns: list[Pattern] = []
    for sized, name in zip(bought.division, bought.names, strict=True):
        made = scheduled(sized, numbers[sized.candidate.name], pods, nodes_of(state, name), peak=peak)
        if made is None:
            return packing
        patterns += made
    cost = round(sum(market.candidates[p.kind].price * p.nodes for p in patterns), 9)
    placed = [sum(p.pods[i] * p.nodes for p in patterns) for i in range(len(pods))]
    whole = placed == [p.count(peak=peak) for p in pods]
    return packing._replace(patterns=tuple(patterns), cost=cost) if whole and cost < packing.cost else packing


def scheduled(sized: Sized, kind: int, pods: Sequence[Pods], nodes: int, *, peak: bool) -> list[Pattern] | None:
    """The nodes of a group as the scheduler fills them, with equal nodes together; None if a pod has no room.

    The marks of a node count its pods by workload here, so that its pods are known.
    """
    group = GroupNodes(sized.candidate.node.room, [nodes], sized.candidate.node.start)
    for number in sized.block:
        pod, count = pods[number].pod, pods[number].count(peak=peak)
        if pods[number].alone or sum(group.fill(replace(pod, mark=1 << BITS * number), count).values()) < count:
            return None
    most = (1 << BITS) - 1
    return [
        Pattern(kind, tuple(state.marks >> BITS * i & most for i in range(len(pods))), count)
        for (_, state), count in group.classes.items()
        if state.marks
    ]
