"""A packing of pods that are spread over zones: one packing per zone, for an even share of the pods."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from capacity.optimize.market import Market, Pods, packing_problem
from capacity.optimize.pack import Effort, Packing, pack
from capacity.optimize.problem import Ints, Pattern


def pack_over_zones(
    market: Market,
    pods: Sequence[Pods],
    zones: int,
    effort: Effort,
    stopped: Callable[[], bool],
    *,
    peak: bool,
) -> Packing:
    """The packing of all pods; zone by zone if some pods are spread over the zones.

    Its bound is that of all pods together without the spread: no placement that keeps the spread costs less.
    """
    problem = packing_problem(market, pods, peak=peak)
    if zones < 2 or not any(p.zoned for p in pods):
        return pack(problem, effort, stopped)
    shares = zone_shares(problem.counts, zones)
    different = len(set(shares))
    together = pack(problem, replace(effort, repacks=0), stopped)  # only its bound counts
    effort = _divided(effort, different)
    packed: dict[tuple[int, ...], Packing] = {}
    patterns: list[Pattern] = []
    where: list[int] = []
    cost = 0.0
    for zone, share in enumerate(shares):
        if share not in packed:
            packed[share] = pack(problem.with_counts(share), effort, stopped)
        patterns += packed[share].patterns
        where += [zone] * len(packed[share].patterns)
        cost += packed[share].cost
    return Packing(tuple(patterns), round(cost, 9), min(together.bound, cost), tuple(where))


def _divided(effort: Effort, parts: int) -> Effort:
    """The work limits of one packing, divided among several packings."""
    return replace(
        effort,
        branches=effort.branches // parts,
        small_branches=effort.small_branches // parts,
        bound_branches=effort.bound_branches // parts,
        repacks=effort.repacks // parts,
        master=effort.master // parts,
    )


def zone_shares(counts: Sequence[int] | Ints, zones: int) -> list[tuple[int, ...]]:
    """Pods of each shape in each zone; zones differ by at most one pod, and the remaining pods go to the zones in turn.
    [pods]

    >>> zone_shares([4, 3, 2], 3)
    [(2, 1, 1), (1, 1, 1), (1, 1, 0)]
    """
    found = [[int(n) // zones for n in counts] for _ in range(zones)]
    for s, n in enumerate(counts):
        for zone in range(int(n) % zones):
            found[zone][s] += 1
    return [tuple(share) for share in found]
