"""The pods that whole columns leave over: the cheaper result of the aggregate program and of diving."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from capacity.optimize.aggregate import Aggregate, aggregate
from capacity.optimize.column_generation import Columns, Generating, generate
from capacity.optimize.fluid import fluid_bound
from capacity.optimize.nodes import Bins, fill_kind, joined
from capacity.optimize.problem import MONEY, Ints, Pattern, Problem
from capacity.optimize.solver import Entries, Program

Stopped = Callable[[], bool]
ALMOST = 1e-6  # a column bought by less than this is not bought


def packed(problem: Problem, found: Aggregate) -> Bins:
    """A packing from the nodes and pods by kind: leftovers go to free room, then to the cheapest additional nodes."""
    assert found.nodes is not None
    assert found.pods is not None
    parts, left = [], np.zeros(len(problem.shapes), dtype=np.int64)
    for kind in np.nonzero(found.nodes)[0]:
        bins, over = fill_kind(problem, int(kind), int(found.nodes[kind]), found.pods[kind])
        parts.append(bins)
        left += over
    bins = joined(problem, parts)
    return repaired(bins, left)


def repaired(bins: Bins, left: Ints) -> Bins:
    """Place leftover pods: on free room, on a larger kind in place of one node, or on the cheapest node that fits most
    of them.
    """
    left = bins.place(left)
    while left.any():
        if not _upsized(bins, left):
            _one_more(bins, left)
        left = bins.place(left)
    bins.shrink()
    return bins


def _upsized(bins: Bins, left: Ints) -> bool:
    """Replace one node by a kind that also fits all leftovers, if that is cheaper than a separate node."""
    problem = bins.problem
    need = left @ problem.demand
    holds = np.all(problem.room >= need, axis=1) & np.all(left[None] <= problem.caps, axis=1)
    alone = float(problem.prices[holds].min(initial=np.inf))
    best = (alone, -1, -1)
    for n, pods in enumerate(bins.pods):
        if (pods + left > problem.per_node).any():
            continue
        holds = np.all(problem.room >= pods @ problem.demand + need, axis=1)
        if holds.any():
            kind = int(np.argmin(np.where(holds, problem.prices, np.inf)))
            best = min(best, (float(problem.prices[kind] - problem.prices[bins.kinds[n]]), n, kind))
    extra, node, kind = best
    if node < 0:
        return False
    bins.kinds[node] = kind
    bins.left[node] = problem.room[kind] - bins.pods[node] @ problem.demand
    return extra < np.inf


def _one_more(bins: Bins, left: Ints) -> None:
    """The node whose filling with leftovers costs least for its share of them."""
    problem = bins.problem
    best: tuple[float, int, Ints] | None = None
    weight = problem.demand / np.maximum(left @ problem.demand, 1)
    for kind in range(len(problem.kinds)):
        trial = Bins(problem)
        trial.open(kind)
        over = trial.place(left)
        value = float(((left - over) @ weight).sum())
        if value > 0:
            rank = float(problem.prices[kind]) / value
            if best is None or rank < best[0] - MONEY:
                best = (rank, kind, left - over)
    assert best is not None, "a shape fits no kind"
    bins.open(best[1], best[2])
    left -= best[2]


def by_columns(problem: Problem, columns: Columns, *, limit: int) -> Bins | None:
    """Whole nodes of the known columns that cover every pod at the least cost; None without a solution within the
    limit.

    Pods that are covered twice are removed again, and each node becomes the cheapest kind for the remaining pods.
    """
    at, shape = np.nonzero(np.array(columns.pods))
    program = Program(
        problem.prices[columns.kinds],
        Entries(shape, at, np.array(columns.pods)[at, shape].astype(float)),
        problem.counts.astype(float),
        np.full(len(problem.shapes), np.inf),
        most=np.full(len(columns.kinds), np.inf),
        whole=True,
    )
    program.limit(nodes=limit, gap=ALMOST)
    solved = program.solve()
    if solved.values is None:
        return None
    bins, left = Bins(problem), problem.counts.copy()
    for i in np.argsort(-solved.values, kind="stable"):
        for _ in range(round(float(solved.values[i]))):
            pods = np.minimum(columns.pods[i], left)
            if pods.any():
                bins.open(columns.kinds[i], pods)
                left = left - pods
    return repaired(bins, left)


def rounded_up(problem: Problem, columns: Columns) -> Bins:
    """One node for each column that is bought in part, with its remaining pods: quick, and close to the best."""
    bins, left = Bins(problem), problem.counts.copy()
    for i in np.argsort(-(columns.bought % 1.0), kind="stable"):
        pods = np.minimum(columns.pods[i], left)
        if columns.bought[i] % 1.0 > ALMOST and pods.any():
            bins.open(columns.kinds[i], pods)
            left = left - pods
    return repaired(bins, left)


def dive(problem: Problem, start: Columns, work: Generating, stopped: Stopped) -> Bins:
    """Buy whole nodes step by step: columns for the remaining pods, the whole part of each, otherwise the largest
    fraction.
    """
    bins = Bins(problem)
    counts = problem.counts.copy()
    columns = start
    while counts.any() and not stopped():
        rest = problem.with_counts(counts)
        columns = generate(rest, fluid_bound(rest), work, start=_useful(columns, counts), stopped=stopped)
        counts = _fix(bins, columns, counts)
    if counts.any():
        return repaired(bins, counts)
    bins.shrink()
    return bins


def _useful(columns: Columns, counts: Ints) -> Columns:
    """The columns that have some of the remaining pods, most bought first, at most a few hundred."""
    order = np.argsort(-columns.bought, kind="stable")
    chosen = [int(i) for i in order if np.minimum(columns.pods[int(i)], counts).any()][:200]
    return Columns([columns.kinds[i] for i in chosen], [columns.pods[i] for i in chosen])


def _fix(bins: Bins, columns: Columns, counts: Ints) -> Ints:
    left = counts.copy()
    bought = columns.bought
    for i in np.argsort(-bought, kind="stable"):
        for _ in range(int(bought[i] + 1e-6)):
            pods = np.minimum(columns.pods[i], left)
            if pods.sum() * 2 <= columns.pods[i].sum():
                break
            bins.open(columns.kinds[i], pods)
            left = left - pods
    if np.array_equal(left, counts):
        i = int(np.argmax(bought))
        pods = np.minimum(columns.pods[i], left)
        bins.open(columns.kinds[i], pods)
        left = left - pods
    return left


def floors(problem: Problem, columns: Columns) -> tuple[list[Pattern], Ints]:
    """The whole part of each column, and the remaining replicas."""
    left = problem.counts.copy()
    patterns = []
    for kind, pods, bought in zip(columns.kinds, columns.pods, columns.bought, strict=True):
        count = int(bought + 1e-6)
        taken = pods > 0
        if count and taken.any():
            count = min(count, int((left[taken] // pods[taken]).min()))
        if count:
            patterns.append(Pattern(kind, tuple(int(n) for n in pods), count))
            left = left - count * pods
    return patterns, left


def promising(problem: Problem, most: int) -> Problem:
    """The problem limited to the kinds whose nodes are worth most at the fluid prices of its pods."""
    from capacity.optimize.knapsack import Knapsacks

    if len(problem.kinds) <= most:
        return problem
    duals = fluid_bound(problem).duals
    knapsacks = Knapsacks(problem)
    ratio = np.array([knapsacks.fill(k, duals).bound for k in range(len(problem.kinds))]) / problem.prices
    ranked = [int(k) for k in np.argsort(-ratio, kind="stable")]
    chosen = set(ranked[:most])
    for s in np.nonzero(problem.counts)[0]:  # every shape keeps a kind
        if not any(problem.caps[k, s] for k in chosen):
            chosen.add(next(k for k in ranked if problem.caps[k, s]))
    return problem.with_kinds(sorted(chosen))


def by_aggregate(problem: Problem, *, limit: int, gap: float) -> Bins | None:
    """The aggregate program for the remaining pods, packed; None without a solution within the limit."""
    found = aggregate(problem, limit=limit, gap=gap)
    return None if found.nodes is None else packed(problem, found)
