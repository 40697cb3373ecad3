"""Make a packing cheaper: remove a few nodes, the most wasteful first, and pack their pods again."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np

from capacity.optimize.aggregate import aggregate
from capacity.optimize.nodes import Bins
from capacity.optimize.problem import MONEY, Floats, Ints
from capacity.optimize.residual import packed, promising

SMALLEST, LARGEST = 3, 24  # nodes taken apart at a time
PODS = 400  # of a step, at most about
KINDS = 24


def improved(bins: Bins, duals: Floats, rounds: int, stopped: Callable[[], bool]) -> Bins:
    """The packing after ``rounds`` attempts; it is never more expensive. Equal input gives an equal packing.

    Parameters
    ----------
    duals : array
        Price of a pod of each shape. The waste of a node is its price minus the prices of its pods. [USD per hour]
    """
    rng = random.Random(0)
    take = SMALLEST
    misses = 0
    for _ in range(rounds):
        if stopped() or len(bins.kinds) < 2:
            break
        chosen = _chosen(bins, duals, take, rng)
        if _repacked(bins, chosen):
            misses = 0
        else:
            misses += 1
            if misses % 4 == 0:
                take = take * 2 if take * 2 <= LARGEST else SMALLEST
    return bins


def _chosen(bins: Bins, duals: Floats, take: int, rng: random.Random) -> list[int]:
    """Wasteful nodes and random ones, with at most about ``PODS`` pods."""
    waste = bins.problem.prices[bins.kinds] - np.array([pods @ duals for pods in bins.pods])
    ranked = [int(n) for n in np.argsort(-waste, kind="stable")]
    pool = ranked[: 2 * take]
    chosen = rng.sample(pool, min(len(pool), (take + 1) // 2))
    others = [n for n in range(len(bins.kinds)) if n not in chosen]
    chosen += rng.sample(others, min(len(others), take // 2))
    kept: list[int] = []
    pods = 0
    for n in chosen:
        size = int(bins.pods[n].sum())
        if len(kept) < 2 or pods + size <= PODS:
            kept.append(n)
            pods += size
    return sorted(kept)


def _repacked(bins: Bins, chosen: list[int]) -> bool:
    """Whether the pods of the nodes fit on cheaper nodes, which then replace them."""
    problem = bins.problem
    counts: Ints = np.sum([bins.pods[n] for n in chosen], axis=0)
    before = float(sum(problem.prices[bins.kinds[n]] for n in chosen))
    part = problem.with_counts(counts)
    found = aggregate(promising(part, KINDS), limit=30, gap=1e-4)
    if found.nodes is None or found.cost >= before - MONEY:
        return False
    new = packed(promising(part, KINDS), found)
    if new.cost >= before - MONEY:
        return False
    number = {kind.name: k for k, kind in enumerate(problem.kinds)}
    gone = set(chosen)
    keep = [n for n in range(len(bins.kinds)) if n not in gone]
    bins.kinds = [bins.kinds[n] for n in keep] + [number[new.problem.kinds[k].name] for k in new.kinds]
    bins.pods = [bins.pods[n] for n in keep] + new.pods
    bins.left = [bins.left[n] for n in keep] + new.left
    return True
